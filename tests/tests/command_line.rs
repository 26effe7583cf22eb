//! An office without a browser: the real program at the terminals of a transit centre and a province, in both languages,
//! by case numbers and the beginnings of ids, and every way in which it may end that can be brought about from outside.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use spean::demonstration::agencies::{KANDAL, TRANSIT_CENTRE};
use spean::demonstration::staff::new_id;
use spean_identity::Role;
use spean_testkit::eventually;
use spean_tests::{Network, PATIENCE, network, spean_program};

/// The widest line of a small terminal.
const WIDTH: usize = 80;

/// Somebody at a terminal.
struct Terminal {
    node: String,
    office: &'static str,
    token: PathBuf,
    locale: &'static str,
}

/// What a command said, and how it ended.
#[derive(Debug)]
struct Said {
    exit: i32,
    out: String,
    err: String,
}

impl Terminal {
    fn at(network: &Network, office: &'static str, roles: &[Role]) -> Self {
        let desk = if roles.is_empty() { network.desk(office) } else { network.desk_as(office, roles) };
        let token = network.folder().join(format!("token-{office}-{}", roles.len()));
        std::fs::write(&token, desk.token()).expect("the folder is ours");
        let node = network.address(&network.node_of(office)).expect("it runs");
        Self { node, office, token, locale: "C.UTF-8" }
    }

    fn in_khmer(&self) -> Self {
        Self { node: self.node.clone(), office: self.office, token: self.token.clone(), locale: "km_KH.UTF-8" }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(spean_program());
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("SPEAN_ADDRESS", &self.node).env("SPEAN_OFFICE", self.office).env("SPEAN_TOKEN_FILE", &self.token);
        command.env_remove("SPEAN_TOKEN").env_remove("SPEAN_AUTHORITY").env("LC_ALL", self.locale);
        command
    }

    fn says_with(&self, words: &[&str], typed: &str) -> Said {
        let mut child = self.command(words).spawn().expect("the program starts");
        child.stdin.take().expect("it is ours").write_all(typed.as_bytes()).expect("it reads");
        said(child)
    }

    fn says(&self, words: &[&str]) -> Said {
        self.says_with(words, "")
    }

    /// Asks for JSON and reads it; the command must succeed.
    fn json(&self, words: &[&str]) -> Value {
        let said = self.says(&[words, &["--json"]].concat());
        assert_eq!(said.exit, 0, "{words:?}: {said:?}");
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{words:?}: {error}: {said:?}"))
    }

    /// Repeats a command until it succeeds, because what it needs is on its way.
    async fn in_the_end(&self, words: &[&str]) -> Said {
        let mut last = None;
        eventually(PATIENCE, &format!("{words:?} to succeed at {}", self.office), async || {
            let said = self.says(words);
            assert!([0, 4, 5].contains(&said.exit), "{words:?}: {said:?}");
            let is_done = said.exit == 0;
            last = Some(said);
            is_done
        })
        .await;
        last.expect("it was said")
    }
}

fn said(child: Child) -> Said {
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the program ends");
    Said {
        exit: status.code().expect("nobody killed it"),
        out: String::from_utf8(stdout).expect("it writes text"),
        err: String::from_utf8(stderr).expect("it writes text"),
    }
}

#[tokio::test]
async fn an_office_works_from_the_terminal() {
    let network = network().await;
    let centre = Terminal::at(&network, TRANSIT_CENTRE, &[]);
    let kandal = Terminal::at(&network, KANDAL, &[]);
    let number = a_case_is_opened(&centre);
    a_case_goes_to_another_office_by_its_number(&centre, &kandal, &number).await;
    an_offer_is_declined_by_the_beginning_of_its_id(&centre, &kandal).await;
    a_list_is_looked_at_imported_and_goes_on(&centre, network.folder());
    a_list_that_was_cut_off_goes_on(&centre, network.folder()).await;
    every_method_can_be_called(&kandal, &number);
    what_is_wrong_is_said_and_ends_as_documented(&network, &centre, &kandal);
}

/// Registers an invented person; the names come through standard input.
fn register(terminal: &Terminal, given: &str, year: &str) -> Value {
    let person = format!("[person]\nlatin_name = {{ family = \"Kumru\", given = \"{given}\" }}\n");
    let words =
        ["case", "register", "--sex", "female", "--birth-year", year, "--home-place", "0802", "--languages", "km"];
    let said = terminal.says_with(&[&words[..], &["--personal", "-", "--json"]].concat(), &person);
    assert_eq!(said.exit, 0, "{said:?}");
    let registered: Value = serde_json::from_str(&said.out).expect("JSON");
    let case = registered["case_id"].as_str().expect("the id that was made for it");
    let parts = ["--parts", "identity,contact,narrative,health"];
    let consent = [&["case", "consent", "give", case, "--basis", "person"][..], &parts].concat();
    assert_eq!(terminal.says(&consent).exit, 0);
    registered
}

fn a_case_is_opened(centre: &Terminal) -> String {
    let registered = register(centre, "Sophea", "1990");
    let number = registered["case_number"].as_str().expect("a number").to_owned();
    let listed = centre.says(&["case", "list"]);
    fits(&listed.out);
    assert!(listed.out.contains(&number) && !listed.out.contains("Sophea"), "{listed:?}");
    let shown = centre.says(&["case", "show", &number, "--purpose", "an interview"]);
    fits(&shown.out);
    assert!(shown.exit == 0 && shown.out.contains("Sophea"), "{shown:?}");
    number
}

async fn a_case_goes_to_another_office_by_its_number(centre: &Terminal, kandal: &Terminal, number: &str) {
    let need = ["--need", "reintegration-follow-up", "--urgency", "urgent"];
    let offer = [&["referral", "offer", number, KANDAL, "--kind", "transfer"][..], &need].concat();
    let offered = centre.in_the_end(&offer).await;
    assert!(offered.out.contains("UTC+7"), "{offered:?}");
    kandal.in_the_end(&["referral", "accept", number]).await;
    let waiting = centre.says(&["referral", "list"]);
    fits(&waiting.out);
    assert!(waiting.out.contains(number), "{waiting:?}");
    eventually(PATIENCE, "Kandal to hold the case", async || {
        kandal.json(&["case", "held"])["cases"].as_array().is_some_and(|cases| !cases.is_empty())
    })
    .await;
    let held = kandal.json(&["case", "held"]);
    assert_eq!(held["cases"][0]["case_number"], number);
    let khmer = kandal.in_khmer().says(&["case", "held"]);
    fits(&khmer.out);
    assert!(khmer.out.contains("តាំងពី") && khmer.out.contains("ម៉ោងកម្ពុជា"), "{khmer:?}");
    let again = kandal.says(&["referral", "accept", number]);
    assert_eq!(again.exit, 0, "saying yes again is no mistake: {again:?}");
}

async fn an_offer_is_declined_by_the_beginning_of_its_id(centre: &Terminal, kandal: &Terminal) {
    let registered = register(centre, "Chenda", "1985");
    let number = registered["case_number"].as_str().expect("a number");
    let words = ["--kind", "service", "--need", "legal", "--urgency", "routine"];
    centre.in_the_end(&[&["referral", "offer", number, KANDAL][..], &words].concat()).await;
    eventually(PATIENCE, "the offer to be in the inbox", async || {
        kandal.json(&["referral", "inbox"])["offers"].as_array().is_some_and(|offers| !offers.is_empty())
    })
    .await;
    let inbox = kandal.json(&["referral", "inbox"]);
    let id = inbox["offers"][0]["offer_id"].as_str().expect("an id").to_owned();
    let shown = kandal.says(&["referral", "inbox"]);
    fits(&shown.out);
    assert!(shown.out.contains(&id[..8]) && shown.out.contains("legal") && !shown.out.contains(&id), "{shown:?}");
    let khmer = kandal.in_khmer().says(&["referral", "inbox"]);
    fits(&khmer.out);
    assert!(khmer.out.contains("ផ្លូវច្បាប់"), "the need in Khmer: {khmer:?}");
    let declined = kandal.says(&["referral", "decline", &id[..8], "--reason", "no-capacity"]);
    assert_eq!(declined.exit, 0, "{declined:?}");
    let refused = kandal.says(&["referral", "accept", &id]);
    assert_eq!(refused.exit, 4, "what was declined cannot be accepted: {refused:?}");
    assert!(kandal.says(&["referral", "inbox"]).out.contains("Nothing."));
}

/// A list of arrivals in which every twelfth row is faulty.
fn list(folder: &Path, name: &str, rows: usize, are_sound: bool) -> String {
    let row = |number: usize| {
        let place = if number % 12 == 5 && !are_sound { "123" } else { "0802" };
        let letter = |number: usize| char::from(b'a' + u8::try_from(number % 26).expect("a letter"));
        let given = format!("{name}{}{}", letter(number / 26), letter(number));
        format!("Kumru,{given},m,19{:02},P{name}{number:04},{place}\n", 50 + number % 40)
    };
    let rows: String = (0..rows).map(row).collect();
    let path = folder.join(format!("{name}.csv"));
    let header = "family_name,given_name,sex,birth,document_number,home_place\n";
    std::fs::write(&path, format!("{header}{rows}")).expect("the folder is ours");
    path.display().to_string()
}

fn a_list_is_looked_at_imported_and_goes_on(centre: &Terminal, folder: &Path) {
    let list = list(folder, "first", 48, false);
    let import = ["arrival", "import", &list, "--route", "deportation", "--from-country", "TH"];
    let preview = centre.says(&[&import[..], &["--preview", "--json"]].concat());
    assert_eq!(preview.exit, 8, "some rows would be refused: {preview:?}");
    let preview: Value = serde_json::from_str(&preview.out).expect("JSON");
    assert_eq!((&preview["rows"], &preview["accepted"], &preview["refused"]), (&48.into(), &44.into(), &4.into()));
    let arrivals = || centre.json(&["arrival", "list"])["arrivals"].as_array().map_or(0, Vec::len);
    assert_eq!(arrivals(), 0, "a preview stores nothing");
    let imported = centre.says(&import);
    assert_eq!(imported.exit, 8, "{imported:?}");
    fits(&imported.out);
    assert!(imported.out.contains("44 accepted, 4 refused") && imported.out.contains("place not understood"));
    assert!(!imported.out.contains('\u{1b}') && !imported.err.contains('\u{1b}'), "no bar where there is no terminal");
    assert_eq!(arrivals(), 44);
    let again = centre.in_khmer().says(&import);
    assert_eq!(again.exit, 8, "{again:?}");
    fits(&again.out);
    assert!(again.out.contains("បានចាប់ផ្តើមពីមុន") && again.out.contains("48"), "{again:?}");
    assert_eq!(arrivals(), 44, "nobody arrives twice");
    let manifest = preview["manifest_id"].as_str().expect("an id made of the list");
    let shown = centre.json(&["arrival", "manifest", manifest]);
    assert_eq!(shown["verdicts"].as_array().map(Vec::len), Some(48));
}

async fn a_list_that_was_cut_off_goes_on(centre: &Terminal, folder: &Path) {
    let list = list(folder, "second", 160, true);
    let manifest = new_id();
    let import = ["arrival", "import", &list, "--route", "deportation", "--manifest-id", &manifest];
    let mut child = centre.command(&import).spawn().expect("the program starts");
    eventually(PATIENCE, "the import to be under way", async || {
        centre.says(&["arrival", "manifest", &manifest]).exit == 0
    })
    .await;
    // It may have come to its end already on a fast machine; the list is whole in either case.
    let _ = child.kill();
    child.wait().expect("it is ours");
    let again = centre.says(&import);
    assert_eq!(again.exit, 0, "{again:?}");
    assert!(again.out.contains("was begun before") && again.out.contains("160 accepted, 0 refused"), "{again:?}");
    let arrivals = centre.json(&["arrival", "list"]);
    assert_eq!(arrivals["arrivals"].as_array().map(Vec::len), Some(44 + 160), "nobody arrives twice");
}

fn every_method_can_be_called(kandal: &Terminal, number: &str) {
    let methods = kandal.says(&["call", "--list"]);
    assert!(methods.out.contains("spean.cases.v1.CasesService/GetCase"), "{methods:?}");
    let request = format!("{{\"case_id\": \"{number}\"}}");
    let called = kandal.says(&["call", "GetCase", "--json-request", &request]);
    let called: Value = serde_json::from_str(&called.out).expect("JSON");
    assert_eq!(called["summary"]["case_number"], number);
}

fn what_is_wrong_is_said_and_ends_as_documented(network: &Network, centre: &Terminal, kandal: &Terminal) {
    let administrator = Terminal::at(network, KANDAL, &[Role::Administrator]);
    let status = administrator.says(&["node", "status"]);
    fits(&status.out);
    assert!(status.exit == 0 && status.out.contains("kandal"), "{status:?}");
    assert_eq!(administrator.says(&["node", "recovery"]).exit, 0);
    let balances = administrator.json(&["node", "books"]);
    assert!(balances["balances"].as_array().is_some_and(|balances| !balances.is_empty()), "{balances}");

    let ends = |terminal: &Terminal, words: &[&str], exit: i32, part: &str| {
        let said = terminal.says(words);
        assert_eq!(said.exit, exit, "{words:?}: {said:?}");
        assert!(said.err.contains(part), "{words:?}: {said:?}");
        fits(&said.err);
    };
    let stranger = new_id();
    ends(centre, &["case", "register", "--personal", "/no/such/file"], 1, "/no/such/file");
    ends(kandal, &["referral", "decline", &stranger, "--reason", "boredom"], 2, "no-capacity");
    ends(centre, &["case", "erase", &stranger, "--ground", "asked"], 2, "--yes");
    ends(centre, &["case", "register", "--sex", "female", "--home-place", "99x"], 3, "--home-place");
    ends(&centre.in_khmer(), &["case", "register", "--sex", "female", "--home-place", "99x"], 3, "--home-place");
    ends(kandal, &["referral", "show", &stranger], 5, "NOT_FOUND");
    ends(&kandal.in_khmer(), &["referral", "show", "nothing-like-it"], 5, "NOT_IN_LISTS");
    ends(&administrator, &["case", "list"], 6, "NOT_PERMITTED");
    ends(&administrator.in_khmer(), &["case", "list"], 6, "មិនអនុញ្ញាត");
    let nobody = Terminal { node: "127.0.0.1:1".to_owned(), ..centre.in_khmer() };
    ends(&nobody, &["case", "list"], 11, "127.0.0.1:1");
    let token = network.folder().join("no-token");
    std::fs::write(&token, "v4.public.nonsense").expect("the folder is ours");
    ends(&Terminal { token, ..centre.in_khmer() }, &["case", "list"], 7, "TOKEN_NOT_VALID");
    let refused = administrator.says(&["case", "list", "--json"]);
    let refused: Value = serde_json::from_str(&refused.err).expect("JSON for a script");
    assert_eq!((&refused["error"]["reason"], &refused["exit_code"]), (&"NOT_PERMITTED".into(), &6.into()));
}

/// Checks that a small terminal shows every line whole.
fn fits(text: &str) {
    for line in text.lines() {
        let clusters = line.chars().filter(|character| !is_mark(*character)).count();
        assert!(clusters <= WIDTH, "{clusters} columns: {line}");
    }
}

/// Khmer signs that stand above or below a letter and take no column of their own.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{17b4}'..='\u{17b5}' | '\u{17b7}'..='\u{17bd}' | '\u{17c6}' | '\u{17c9}'..='\u{17d3}')
}
