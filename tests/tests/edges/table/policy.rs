//! The policy.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    vec![row!("policy.v1.PolicyService" "GetPolicy", EVERYBODY, Node, Nothing, {}, Read, [&[("on", PastDay)]])]
}
