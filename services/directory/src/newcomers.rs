//! Nodes that join the network later: they are told what is on offer here and what was declared, as if they had always
//! been there.

use std::collections::BTreeSet;

use spean_eventstore::{Tables, Transaction};
use spean_identity::Directory;
use spean_messaging::Unusable;
use sqlx::{AnyConnection, Row as _};

use crate::offering::{Command, Offering};
use crate::office::{self, Office};
use crate::reactions::Reactions;
use crate::{catalogue, office_book};

/// Who was told before.
pub(crate) const TABLES: Tables =
    Tables { name: "newcomers", steps: &["create table told_node (node text primary key)"] };

/// Says all our offerings and declarations again if the directory names nodes that never heard of them. Our own node is
/// among those that are told: its desk hears of everything too.
pub(crate) async fn greet(
    reactions: &Reactions,
    directory: &Directory,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let nodes = directory.nodes.iter().map(|node| node.id.to_string()).collect();
    let newcomers = never_told(nodes, transaction.connection()).await?;
    if newcomers.is_empty() {
        return Ok(());
    }
    let ours: BTreeSet<_> = directory.offices_of(&reactions.node).map(|office| office.id.clone()).collect();
    let edition = directory.edition;
    for (offering, office) in catalogue::own(transaction.connection()).await? {
        // Others would not believe us about an office that is not ours.
        if ours.contains(&office) {
            let command = Command::Repeat { edition };
            reactions.decide::<Offering>(&offering, &office, command, None, transaction).await?;
        }
    }
    for id in office_book::ever_declared(transaction.connection()).await? {
        if let Some(office) = id.parse().ok().and_then(|id| directory.office(&id)) {
            let command = office::Command::Repeat { edition, ours: ours.clone() };
            reactions.decide::<Office>(&id, &office.id, command, None, transaction).await?;
        }
    }
    for newcomer in newcomers {
        let insert = sqlx::query("insert into told_node (node) values ($1)").bind(newcomer);
        insert.execute(transaction.connection()).await?;
    }
    Ok(())
}

async fn never_told(nodes: Vec<String>, connection: &mut AnyConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("select node from told_node").fetch_all(connection).await?;
    let told = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    Ok(nodes.into_iter().filter(|node| !told.contains(node)).collect())
}
