//! What can be done to the mailboxes at the hub, as their owner and past the broker.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use async_nats::ConnectOptions;
use async_nats::jetstream::{self, stream};
use spean_messaging::topology::{account, mailbox_stream, reply_prefix};

use crate::ground::Ground;

/// Where the hub keeps the mailbox of a node.
pub(crate) fn folder(ground: &mut Ground, node: &str) -> anyhow::Result<PathBuf> {
    let directory = ground.network().directory();
    let id = node.parse()?;
    let entry = directory.nodes.iter().find(|known| known.id == id).context("a node of the directory")?;
    let place = format!("hub/store/jetstream/{}/streams/{}", account(&entry.agency), mailbox_stream(&id));
    Ok(ground.folder().join(place))
}

/// Deletes a mailbox; it may just have been lost otherwise.
pub(crate) fn delete(mailbox: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(mailbox) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Takes the last byte of the last file with letters.
pub(crate) fn shorten(mailbox: &Path) -> anyhow::Result<()> {
    let blocks = fs::read_dir(mailbox.join("msgs")).into_iter().flatten().flatten().map(|entry| entry.path());
    let blocks = blocks.filter(|path| path.extension().is_some_and(|extension| extension == "blk"));
    let filled = blocks.filter(|path| fs::metadata(path).is_ok_and(|data| data.len() > 0));
    let Some(last) = filled.max() else { return Ok(()) };
    let file = fs::File::options().write(true).open(&last)?;
    Ok(file.set_len(file.metadata()?.len() - 1)?)
}

/// Deletes all letters in the mailbox of a node, as the node itself may.
pub(crate) async fn purge(ground: &mut Ground, node: &str) -> anyhow::Result<()> {
    mailbox(ground, node).await?.purge().await?;
    Ok(())
}

/// Deletes the consumers of all its services, so that all that lies there is delivered again.
pub(crate) async fn forget_places(ground: &mut Ground, node: &str) -> anyhow::Result<()> {
    let mailbox = mailbox(ground, node).await?;
    let consumers = fs::read_dir(folder(ground, node)?.join("obs"))?.flatten();
    for consumer in consumers.filter_map(|entry| entry.file_name().into_string().ok()) {
        mailbox.delete_consumer(&consumer).await?;
    }
    Ok(())
}

async fn mailbox(ground: &mut Ground, node: &str) -> anyhow::Result<stream::Stream> {
    let seed = ground.network().keys(node).broker_seed().to_owned();
    let id = node.parse()?;
    let options = ConnectOptions::with_nkey(seed).custom_inbox_prefix(reply_prefix(&id));
    let client = options.connect(format!("nats://127.0.0.1:{}", ground.hub_port())).await?;
    Ok(jetstream::new(client).get_stream(mailbox_stream(&id)).await?)
}
