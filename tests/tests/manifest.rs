//! A long list with every kind of defect, and a centre that loses its power in the middle of it.

use std::collections::BTreeSet;
use std::time::Duration;

use spean::demonstration::agencies::TRANSIT_CENTRE;
use spean::demonstration::staff::{Staff, new_id};
use spean_contracts::repatriation::v1::{
    Circumstances, GetManifestRequest, GetManifestResponse, ImportManifestRequest, ImportManifestResponse,
    ListArrivalsRequest, Route, RowVerdict,
};
use spean_contracts::vocabulary::v1::PageRequest;
use spean_tests::{Desk, network};
use tonic::{Code, Status};

/// Rows of the list: ten ordinary days of a busy border.
const ROWS: usize = 2_000;

/// How often somebody looks whether the import is under way.
const GLANCE: Duration = Duration::from_millis(20);

/// What a row of the list is to come to: the reason for its refusal, or the notes with which it is accepted.
type Expected = Result<Vec<&'static str>, &'static str>;

/// A name that nobody else of the list has, and that sounds like no other.
fn given(number: usize) -> String {
    const SYLLABLES: [&str; 14] =
        ["ka", "mo", "ri", "thu", "beng", "sol", "pich", "dan", "vey", "lu", "nora", "chhay", "heng", "yok"];
    let mixed = number.wrapping_mul(7_919) + 104_729;
    [mixed, mixed / 14, mixed / 196, mixed / 2_744].map(|part| SYLLABLES[part % 14]).concat()
}

/// Every way in which a row can be faulty or unclear; the others are sound.
fn row(number: usize) -> (String, Expected) {
    let paper = format!("N{number:07}");
    let name = given(number);
    let sound = |birth: &str, age: &str| format!("Kumru,{name},m,{birth},{age},{paper},0802,medical;legal");
    match number % 20 {
        1 => (sound("1998-02-31", ""), Err("BIRTH_MALFORMED")),
        2 => (sound("2999", ""), Err("BIRTH_MALFORMED")),
        3 => (sound("2600", ""), Err("BIRTH_AFTER_ARRIVAL")),
        4 => (sound("2533", ""), Ok(vec!["BUDDHIST_YEAR"])),
        5 => (sound("២៨/០២/១៩៩០", ""), Ok(vec!["LOCAL_DIGITS"])),
        6 => (sound("04/05/1990", ""), Ok(vec!["DAY_MONTH_UNCLEAR"])),
        7 => (sound("", "34"), Ok(vec!["YEAR_FROM_AGE"])),
        8 => (sound("1990", "200"), Err("AGE_MALFORMED")),
        9 => (format!("Kumru,Dara,x,1990,,{paper},0802,"), Err("SEX_UNKNOWN_WORD")),
        10 => (format!("Kumru,Dara,m,1990,,{paper},123,"), Err("PLACE_MALFORMED")),
        11 => (format!("Kumru,Dara,m,1990,,{paper},0802,gold"), Err("UNKNOWN_NEED")),
        12 => (format!("Kumru,Dara,m,1990,,{paper}"), Err("ROW_TOO_SHORT")),
        13 => (format!("Kumru,Dara,m,1990,,{paper},0802,,surplus"), Err("ROW_TOO_LONG")),
        14 => (format!("\"Kumru,Dara,m,1990,,{paper},0802,"), Err("QUOTE_NOT_CLOSED")),
        15 => (",,,,,,,".to_owned(), Err("NO_PERSON")),
        16 => (format!("{},Dara,m,1990,,{paper},0802,", "x".repeat(101)), Err("TEXT_MALFORMED")),
        // The paper of the sound row above it.
        19 => (format!("Kumru,Vibol,m,1990,,N{:07},0802,", number - 1), Err("DUPLICATE_ROW")),
        _ => (sound("1990-02-28", ""), Ok(vec![])),
    }
}

fn list() -> (Vec<u8>, Vec<Expected>) {
    let (lines, expected): (Vec<_>, Vec<_>) = (0..ROWS).map(row).unzip();
    let header = "family_name,given_name,sex,birth,age,document_number,home_place,needs";
    (format!("{header}\n{}\n", lines.join("\n")).into_bytes(), expected)
}

fn request(manifest: &str, csv: &[u8], preview: bool) -> ImportManifestRequest {
    ImportManifestRequest {
        manifest_id: manifest.to_owned(),
        csv: csv.to_vec(),
        circumstances: Some(Circumstances { route: Route::Deportation.into(), ..Circumstances::default() }),
        preview,
        ..ImportManifestRequest::default()
    }
}

async fn import(staff: &Staff, request: ImportManifestRequest) -> Result<ImportManifestResponse, Status> {
    let mut centre = staff.repatriation().max_decoding_message_size(16 * 1024 * 1024);
    Ok(centre.import_manifest(staff.ask(request)).await?.into_inner())
}

/// How far it has come; none when nothing of it is on record.
async fn progress(staff: &Staff, manifest: &str) -> Result<Option<GetManifestResponse>, Status> {
    let request = GetManifestRequest { manifest_id: manifest.to_owned() };
    match staff.repatriation().get_manifest(staff.ask(request)).await {
        Ok(response) => Ok(Some(response.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

async fn arrivals(desk: &Desk) -> Vec<String> {
    desk.ask("the arrivals", async |staff: Staff| {
        let mut arrivals = Vec::new();
        let mut token = String::new();
        loop {
            let page = Some(PageRequest { size: 200, token });
            let request = ListArrivalsRequest { page, present_only: false };
            let response = staff.repatriation().list_arrivals(staff.ask(request)).await?.into_inner();
            arrivals.extend(response.arrivals.into_iter().map(|arrival| arrival.arrival_id));
            token = response.page.map(|page| page.next_token).unwrap_or_default();
            if token.is_empty() {
                return Ok(arrivals);
            }
        }
    })
    .await
}

fn as_expected(verdicts: &[RowVerdict], expected: &[Expected]) {
    assert_eq!(verdicts.len(), expected.len());
    for ((line, verdict), expected) in (2..).zip(verdicts).zip(expected) {
        assert_eq!(verdict.line, line);
        match expected {
            Ok(notes) => assert!(verdict.accepted && verdict.notes == *notes, "line {line}: {verdict:?}"),
            Err(reason) => assert!(!verdict.accepted && verdict.reason == *reason, "line {line}: {verdict:?}"),
        }
    }
}

#[tokio::test]
async fn a_list_with_every_kind_of_defect_survives_a_power_cut_in_its_middle_without_a_double() {
    let mut network = network().await;
    let node = network.node_of(TRANSIT_CENTRE);
    let desk = network.desk(TRANSIT_CENTRE);
    let (csv, expected) = list();
    let manifest = new_id();

    let staff = desk.staff().await;
    let preview = import(&staff, request(&manifest, &csv, true)).await.expect("it can be read");
    as_expected(&preview.verdicts, &expected);
    assert!(arrivals(&desk).await.is_empty(), "a preview stores nothing");

    let under_way = tokio::spawn({
        let (staff, request) = (staff.clone(), request(&manifest, &csv, false));
        async move { import(&staff, request).await }
    });
    let judged = loop {
        let progress = progress(&staff, &manifest).await.expect("the centre answers");
        match progress {
            Some(progress) if progress.verdicts.len() >= 100 => break progress,
            _ => tokio::time::sleep(GLANCE).await,
        }
    };
    network.cut_power(&node).expect("the node can be killed");
    assert!(judged.finished_at.is_none() && judged.verdicts.len() < ROWS, "killed in the middle");
    assert_eq!(usize::try_from(judged.rows), Ok(ROWS));
    assert!(under_way.await.expect("it ends").is_err(), "the caller hears that it was not finished");
    network.start(&node).await.expect("the node comes back");

    let before = desk.ask("the progress", async |staff: Staff| progress(&staff, &manifest).await).await;
    let before = before.expect("it had begun");
    assert!(before.finished_at.is_none() && before.verdicts.len() < ROWS, "{}", before.verdicts.len());
    let whole =
        desk.ask("the list again", async |staff: Staff| import(&staff, request(&manifest, &csv, false)).await).await;
    as_expected(&whole.verdicts, &expected);
    assert_eq!(whole.verdicts[..before.verdicts.len()], before.verdicts[..], "a row keeps its first verdict");
    let again = desk.ask("once more", async |staff: Staff| import(&staff, request(&manifest, &csv, false)).await).await;
    assert_eq!(again, whole);

    let here = arrivals(&desk).await;
    let told: BTreeSet<_> = whole.verdicts.iter().filter(|row| row.accepted).map(|row| &row.arrival_id).collect();
    assert_eq!(here.iter().collect::<BTreeSet<_>>(), told);
    assert_eq!((here.len(), usize::try_from(whole.accepted)), (told.len(), Ok(told.len())), "nobody arrived twice");
    let finished = desk.ask("the report", async |staff: Staff| progress(&staff, &manifest).await).await;
    let finished = finished.expect("it is on record");
    assert!(finished.finished_at.is_some());
    assert_eq!((finished.rows, finished.accepted, finished.refused), (whole.rows, whole.accepted, whole.refused));
}
