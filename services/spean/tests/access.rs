//! Every RPC method has a rule that says who may call it, and no rule is left over from a method that is gone.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use spean_console::{Language, Words};
use spean_contracts::DESCRIPTORS;
use spean_identity::Access;

#[test]
fn every_method_has_a_rule_and_every_rule_a_method() {
    let described = FileDescriptorSet::decode(DESCRIPTORS).expect("the compiler of proto/ wrote it");
    let methods: Vec<String> = described
        .file
        .into_iter()
        .flat_map(|file| file.service)
        .flat_map(|service| service.method)
        .map(|method| method.name().to_owned())
        .collect();
    let distinct: BTreeSet<&str> = methods.iter().map(String::as_str).collect();
    assert_eq!(distinct.len(), methods.len(), "two methods of one name would share a rule");

    let access = Access::new();
    let ruled: BTreeSet<&str> = access.actions().collect();
    assert_eq!(distinct.difference(&ruled).collect::<Vec<_>>(), Vec::<&&str>::new(), "methods without a rule");
    assert_eq!(ruled.difference(&distinct).collect::<Vec<_>>(), Vec::<&&str>::new(), "rules without a method");
}

#[test]
fn whatever_has_a_rule_can_be_called_from_the_command_line() {
    let mut program = spean::command::command(&Words::new(Language::English));
    for action in Access::new().actions() {
        assert!(program.try_get_matches_from_mut(["spean", "call", action]).is_ok(), "{action}");
    }
}
