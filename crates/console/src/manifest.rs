//! `spean arrival import`: a list of arrivals, first looked at, then carried out with a bar, and carried on when the line
//! or the power was cut.

use std::time::Duration;

use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressStyle};
use prost_reflect::{DynamicMessage, Value};
use tonic::{Code, Status};

use crate::answer;
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::language::Words;
use crate::personal;
use crate::run;
use crate::schema;
use crate::table;
use crate::value::{Shown, at, messages_at};

/// How often the node is asked how far it has come.
const GLANCE: Duration = Duration::from_millis(250);
/// Columns of the verdicts.
const COLUMNS: &str = "line accepted reason column same_as_line missing notes known_case_ids";
/// A workbook is a zip archive, which begins like this.
const ZIP: &[u8] = b"PK";

/// Imports a list.
///
/// # Errors
/// When the node refuses the list as a whole, or cannot be reached.
pub(crate) async fn import(
    connection: &Connection,
    mut request: DynamicMessage,
    matches: &ArgMatches,
    words: &Words,
) -> Result<Exit, Failure> {
    as_workbook(&mut request);
    let only_preview = at(&request, "preview").is_some();
    let id = run::manifest_id(&request, connection.office());
    request.set_field_by_name("manifest_id", Value::String(id.clone()));
    let is_json = matches.get_flag("json");
    let method = schema::method("ImportManifest").expect("it is part of the interface");
    let begun = progress(connection, &id).await?;
    let is_begun = begun.is_some();
    if let Some(begun) = &begun
        && !is_json
    {
        let (judged, rows) = (messages_at(begun, "verdicts").len(), count(begun, "rows"));
        println!("{}", words.say_counting("import-goes-on", &[("judged", judged), ("rows", rows)]));
    }
    let is_asked = personal::somebody_is_there() && !matches.get_flag("yes") && !is_json && !is_begun;
    if only_preview || is_asked {
        request.set_field_by_name("preview", Value::Bool(true));
        let preview = connection.call(method, &request, None).await?;
        if only_preview {
            return Ok(shown(&preview, &id, is_json, "import-preview", words));
        }
        shown(&preview, &id, false, "import-preview", words);
        let answer = personal::ask(&format!("{} ", words.say("ask-import")))?.unwrap_or_default();
        if !run::is_yes(&answer, words) {
            return Err(Failure::Usage(words.say("failure-not-confirmed")));
        }
        request.clear_field_by_name("preview");
    }
    let answer = with_bar(connection, &id, words, async || run::send(connection, method, &request, matches).await);
    let answer = answer.await.map_err(|failure| goes_on(failure, is_json, words))?;
    Ok(shown(&answer, &id, is_json, "import-done", words))
}

/// A workbook is told from CSV by its content.
fn as_workbook(request: &mut DynamicMessage) {
    let is_workbook = matches!(at(request, "csv"), Some((_, Value::Bytes(bytes))) if bytes.starts_with(ZIP));
    if is_workbook && let Some(content) = request.take_field_by_name("csv") {
        request.set_field_by_name("xlsx", content);
    }
}

/// Imports, and shows meanwhile how far it has come. The bar is drawn on a terminal only.
async fn with_bar(
    connection: &Connection,
    id: &str,
    words: &Words,
    import: impl AsyncFnOnce() -> Result<DynamicMessage, Failure>,
) -> Result<DynamicMessage, Failure> {
    let bar = bar(words.say("import-bar"));
    let looker = connection.again();
    let look = async {
        loop {
            tokio::time::sleep(GLANCE).await;
            if let Ok(Some(seen)) = progress(&looker, id).await {
                bar.set_length(count(&seen, "rows") as u64);
                bar.set_position(messages_at(&seen, "verdicts").len() as u64);
            }
        }
    };
    let outcome = tokio::select! {
        outcome = import() => outcome,
        () = look => unreachable!("it looks for ever"),
    };
    bar.finish_and_clear();
    outcome
}

/// A bar that fits a small terminal; not drawn where there is none.
pub(crate) fn bar(message: String) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}").expect("the template is well formed");
    let bar = ProgressBar::new(0).with_style(style.progress_chars("=> "));
    bar.set_message(message);
    bar
}

/// How far a list has come; none when nothing of it is on record.
async fn progress(connection: &Connection, id: &str) -> Result<Option<DynamicMessage>, Status> {
    let method = schema::method("GetManifest").expect("it is part of the interface");
    let mut request = DynamicMessage::new(method.input());
    request.set_field_by_name("manifest_id", Value::String(id.to_owned()));
    match connection.call(method, &request, None).await {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

/// A list that was cut off goes on when the same command is given again.
fn goes_on(failure: Failure, is_json: bool, words: &Words) -> Failure {
    if let Failure::Unsure(status, _) = failure {
        if !is_json {
            eprintln!("{}", table::paragraph(&words.say("import-again")));
        }
        return Failure::Answered(status);
    }
    failure
}

fn shown(answer: &DynamicMessage, id: &str, is_json: bool, key: &str, words: &Words) -> Exit {
    let refused = count(answer, "refused");
    if is_json {
        match answer::json(answer) {
            Ok(mut json) => {
                json["manifest_id"] = id.into();
                println!("{json:#}");
            }
            Err(failure) => return failure.exit(),
        }
    } else {
        let verdicts = messages_at(answer, "verdicts");
        println!("{}\n", answer::list(&verdicts, Some(COLUMNS), &mut Shown::new(words)));
        let counts = [("rows", count(answer, "rows")), ("accepted", count(answer, "accepted")), ("refused", refused)];
        println!("{}", table::paragraph(&words.say_counting(key, &counts)));
        println!("{}", table::fields(&[(words.label("manifest_id"), id.to_owned())], 0));
    }
    if refused == 0 { Exit::Done } else { Exit::Partly }
}

fn count(message: &DynamicMessage, field: &str) -> usize {
    let number = at(message, field).and_then(|(_, value)| value.as_i32()).unwrap_or(0);
    usize::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(csv: &[u8]) -> DynamicMessage {
        let mut request = DynamicMessage::new(schema::method("ImportManifest").unwrap().input());
        request.set_field_by_name("csv", Value::Bytes(csv.to_vec().into()));
        request
    }

    #[test]
    fn the_same_list_has_the_same_id_also_after_a_preview_and_another_has_another() {
        let mut looked_at = request(b"sex\nf\n");
        looked_at.set_field_by_name("preview", Value::Bool(true));
        let id = run::manifest_id(&request(b"sex\nf\n"), "poipet-transit");
        assert_eq!(run::manifest_id(&looked_at, "poipet-transit"), id);
        assert_ne!(run::manifest_id(&request(b"sex\nm\n"), "poipet-transit"), id);
        assert_ne!(run::manifest_id(&request(b"sex\nf\n"), "kandal-province"), id);
        assert!(crate::resolve::is_id(&id), "{id}");
    }

    #[test]
    fn a_workbook_is_known_by_its_content() {
        let mut workbook = request(b"PK\x03\x04...");
        as_workbook(&mut workbook);
        assert!(at(&workbook, "xlsx").is_some() && at(&workbook, "csv").is_none());
    }
}
