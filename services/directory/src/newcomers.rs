//! Nodes that join the network later: they are told what is on offer here, as if they had always been there.

use std::time::Duration;

use spean_chassis::Node;
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, HandleError, Metadata, Tables, TransactError};
use spean_identity::Directory;
use spean_messaging::Post;
use spean_vocabulary::{NodeId, Timestamp};
use sqlx::{AnyConnection, Row as _};

use crate::catalogue;
use crate::offering::{Command, Error, Offering};

/// How often the edition of the directory is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who was told before.
pub(crate) const TABLES: Tables =
    Tables { name: "newcomers", steps: &["create table told_node (node text primary key)"] };

/// Tells newcomers as soon as an edition of the directory names them.
pub(crate) async fn watch(node: Node, store: EventStore, post: Post) {
    let mut greeted = None;
    loop {
        let directory = node.directory.current();
        let edition = Some(directory.edition);
        // After a restore nothing is said before the peers have answered.
        if greeted != edition && !post.is_recovering() {
            match greet(&node.id, &directory, node.clock.now(), &store).await {
                Ok(()) => greeted = edition,
                Err(error) => tracing::warn!(error = %error, "newcomers are told of our offerings later"),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Says all our offerings again if the directory names nodes that never heard of them.
pub(crate) async fn greet(
    node: &NodeId,
    directory: &Directory,
    now: Timestamp,
    store: &EventStore,
) -> Result<(), TransactError<HandleError<Error>>> {
    let others = directory.nodes.iter().filter(|other| other.id != *node).map(|other| other.id.to_string()).collect();
    let own_offices: Vec<_> = directory.offices_of(node).map(|office| office.id.clone()).collect();
    let edition = directory.edition;
    let greeted = store.transact(move |transaction| {
        Box::pin(async move {
            let newcomers = never_told(others, transaction.connection()).await.map_err(failed)?;
            if newcomers.is_empty() {
                return Ok(());
            }
            for (offering, office) in catalogue::own(transaction.connection()).await.map_err(failed)? {
                // Others would not believe us about an office that has moved to another node.
                if own_offices.contains(&office) {
                    let context = Context { office, staff: None, now };
                    let metadata = Metadata::of(&context);
                    transaction.decide::<Offering>(&offering, Command::Repeat { edition }, &context, &metadata).await?;
                }
            }
            for newcomer in newcomers {
                sqlx::query("insert into told_node (node) values ($1)")
                    .bind(newcomer)
                    .execute(transaction.connection())
                    .await
                    .map_err(failed)?;
            }
            Ok(())
        })
    });
    greeted.await
}

async fn never_told(others: Vec<String>, connection: &mut AnyConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("select node from told_node").fetch_all(connection).await?;
    let told = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    Ok(others.into_iter().filter(|other| !told.contains(other)).collect())
}

fn failed(error: sqlx::Error) -> HandleError<Error> {
    HandleError::Store(error.into())
}
