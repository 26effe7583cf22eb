//! `spean node recovery`: waits until a restored node has heard from everybody whom it must ask what it missed.

use std::time::Duration;

use indicatif::ProgressBar;
use prost_reflect::DynamicMessage;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::language::Words;
use crate::manifest::bar;
use crate::schema;
use crate::value::at;

/// How often the node is asked.
const GLANCE: Duration = Duration::from_secs(1);

/// A bar for a command of the program itself that makes lists anew; not drawn where there is no terminal.
pub fn rebuild_bar(words: &Words) -> ProgressBar {
    bar(words.say("recovery-rebuild-bar"))
}

/// Returns when nobody is waited for any more. A bar shows how many have answered since this began to look.
///
/// # Errors
/// What the node answered.
pub(crate) async fn watch(connection: &Connection, words: &Words) -> Result<(), Failure> {
    let method = schema::method("GetNodeStatus").expect("it is part of the interface");
    let bar = bar(words.say("recovery-bar"));
    let mut most = 0;
    loop {
        let status = connection.call(method, &DynamicMessage::new(method.input()), None).await?;
        let waiting = at(&status, "recovering_from").and_then(|(_, value)| value.as_list().map(<[_]>::len));
        let waiting = waiting.unwrap_or(0);
        most = most.max(waiting);
        bar.set_length(most as u64);
        bar.set_position((most - waiting) as u64);
        if waiting == 0 {
            bar.finish_and_clear();
            return Ok(());
        }
        tokio::time::sleep(GLANCE).await;
    }
}
