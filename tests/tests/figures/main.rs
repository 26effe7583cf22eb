//! Figures across the network: what offices did is what their agency counts, what the agencies report is what happened, and
//! what everybody may read tells of nobody. An office that was dark for weeks reports late, and what was reported before is
//! amended for all to see.

mod calls;

use spean::demonstration::agencies::{
    BANTEAY_MEANCHEY, KANDAL, KIEN_SVAY, MINISTRY, NODES, RATANAK_KIRI, SHELTER, TRANSIT_CENTRE,
};
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::cases::v1::RegisterPersonRequest;
use spean_contracts::followup::v1::{LossReason, RecordContactLostRequest};
use spean_contracts::insight::v1::{
    Dimension, GetFiguresResponse, ListPeriodReportsRequest, ListPeriodReportsResponse, Measure, OpenThing,
    Publication, PublishedFigure, Report,
};
use spean_contracts::repatriation::v1::{Circumstances, RegisterArrivalRequest, Route};
use spean_contracts::vocabulary::v1::{Name, Person, Sex};
use spean_tests::{Canary, Desk, Network, invented, network, settled};
use spean_vocabulary::Date;
use sqlx::ConnectOptions as _;
use sqlx::any::AnyConnectOptions;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::str::FromStr as _;
use std::time::Duration;

use calls::{
    consent, count, count_open, decline, figures, issue, list, open_need, plan, publish, try_to_issue, try_to_publish,
    visit, withdraw,
};

/// A name that nobody else has: wherever it is found, it came from here.
const NAME: &str = "Sovannmalika";

/// The smallest count that anybody may read.
const SMALLEST: i64 = 5;

/// How often a figure is looked at, and how often at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: usize = 600;

/// One thing that somebody was seen to do in this story.
struct Done {
    node: &'static str,
    measure: Measure,
    sex: Sex,
    on: Date,
}

/// The recount: a list of the calls that were made.
struct Story {
    network: Network,
    today: Date,
    done: Vec<Done>,
    /// The sex of whom a case is about.
    people: BTreeMap<String, Sex>,
}

#[tokio::test]
async fn what_is_reported_is_what_was_done_and_what_is_published_tells_of_nobody() {
    let mut story = Story::begin().await;
    let cases = story.people_arrive_and_go_on().await;
    story.follow_up(&cases).await;
    let dark = story.an_office_goes_dark().await;
    let first = story.the_period_is_reported_and_published().await;
    story.the_dark_office_delivers_late(&dark, &first).await;
    story.figures_are_the_same_after_they_were_made_anew().await;
    story.nobody_stands_in_the_figures().await;
}

impl Story {
    /// A month into a period, so that nothing of this story lies in another.
    async fn begin() -> Self {
        let network = network().await;
        let now = network.clock().now().date_in_cambodia();
        let mut begin = Date::first_of_year(now.year()).expect("a year of our time");
        while begin <= now {
            begin = begin.plus_months(4);
        }
        let today = begin.plus_days(30);
        network.pass_time(24 * i64::from(today.days_since(now))).expect("the clock is ours");
        Self { network, today, done: vec![], people: BTreeMap::new() }
    }

    fn period(&self) -> String {
        let month: u32 = self.today.to_string()[5..7].parse().expect("a month");
        format!("{}-{}", self.today.year(), (month - 1) / 4 + 1)
    }

    fn note(&mut self, node: &'static str, measure: Measure, case: &str) {
        self.note_on(node, measure, case, self.today);
    }

    fn note_on(&mut self, node: &'static str, measure: Measure, case: &str, on: Date) {
        let sex = self.people[case];
        self.done.push(Done { node, measure, sex, on });
    }

    /// Sixteen people arrive; eight go on to a district, one is declined, and of one offer nobody says anything.
    async fn people_arrive_and_go_on(&mut self) -> Vec<String> {
        let (centre, district) = (self.network.desk(TRANSIT_CENTRE), self.network.desk(KIEN_SVAY));
        let mut arrivals = Vec::new();
        for number in 0..16 {
            let sex = if number < 3 { Sex::Male } else { Sex::Female };
            let case = new_id();
            let person = somebody(number, sex);
            let circumstances =
                Circumstances { route: Route::Self_.into(), from_country: "TH".to_owned(), ..Default::default() };
            let request = RegisterArrivalRequest {
                arrival_id: case.clone(),
                person: Some(person),
                circumstances: Some(circumstances),
                ..RegisterArrivalRequest::default()
            };
            centre
                .ask("an arrival", async |staff: Staff| {
                    staff.repatriation().register_arrival(staff.ask(request.clone())).await.map(drop)
                })
                .await;
            self.people.insert(case.clone(), sex);
            self.note("poipet", Measure::Arrived, &case);
            self.note("poipet", Measure::CaseRegistered, &case);
            arrivals.push(case);
        }
        let mut offers = Vec::new();
        for case in &arrivals[..10] {
            consent(&centre, case).await;
            offers.push(centre.offer(case, KIEN_SVAY).await);
            self.note("poipet", Measure::OfferMade, case);
        }
        for (case, offer) in arrivals.iter().zip(&offers).take(8) {
            district.accept(offer).await;
            district.held(case).await;
            self.note("poipet", Measure::OfferAccepted, case);
            self.note("poipet", Measure::CaseHandedOn, case);
            self.note("kandal", Measure::CaseTakenOver, case);
        }
        decline(&district, &offers[8]).await;
        self.note("poipet", Measure::OfferDeclined, &arrivals[8]);
        self.eventually_counted("poipet", TRANSIT_CENTRE).await;
        let open = count_open(&centre, OpenThing::Offers, Dimension::Sex).await;
        assert_eq!((open.total, open.groups[0].value.as_str()), (1, "female"), "an offer without an answer is seen");
        withdraw(&centre, &offers[9]).await;
        self.note("poipet", Measure::OfferWithdrawn, &arrivals[9]);
        arrivals.truncate(8);
        arrivals
    }

    /// The district finds needs that nobody meets, visits, and loses somebody.
    async fn follow_up(&mut self, cases: &[String]) {
        let district = self.network.desk(KIEN_SVAY);
        for case in &cases[..6] {
            open_need(&district, case).await;
            self.note("kandal", Measure::NeedFound, case);
            self.note("kandal", Measure::NeedUnmet, case);
        }
        for case in &cases[..5] {
            plan(&district, case, self.today).await;
            self.note("kandal", Measure::FollowUpBegun, case);
            visit(&district, case, 1, self.today).await;
            self.note("kandal", Measure::Visit, case);
        }
        let lost = RecordContactLostRequest {
            case_id: cases[0].clone(),
            lost_on: self.today.to_string(),
            reason: LossReason::LeftWithoutWord.into(),
        };
        district
            .ask("the loss", async |staff: Staff| {
                staff.safety().record_contact_lost(staff.ask(lost.clone())).await.map(drop)
            })
            .await;
        self.note("kandal", Measure::ContactLost, &cases[0]);
        self.eventually_counted("kandal", KIEN_SVAY).await;
        self.eventually_counted("poipet", TRANSIT_CENTRE).await;

        let open = count_open(&district, OpenThing::Needs, Dimension::Need).await;
        assert_eq!(
            (open.total, open.groups[0].value.as_str()),
            (6, "medical"),
            "unmet needs are counted by what is needed"
        );
        assert_eq!(count_open(&district, OpenThing::LostContacts, Dimension::Unspecified).await.total, 1);
        assert_eq!(count_open(&district, OpenThing::Cases, Dimension::Sex).await.total, 8);
        let by_sex = count(&district, Measure::NeedUnmet, self.today, &[Dimension::Sex]).await;
        let men = by_sex.groups.iter().find(|group| group.values == ["male"]).expect("three of them are men");
        assert_eq!(men.tallies[0].count, 3, "what is known of a case is known of its needs");
        let centre = self.network.desk(TRANSIT_CENTRE);
        let answered = count(&centre, Measure::OfferAccepted, self.today, &[Dimension::Agency]).await;
        assert_eq!(answered.groups[0].values, ["ptc"]);
        assert_eq!(answered.totals[0].longest_hours, Some(0), "they were answered within the hour");
    }

    /// An office at the end of a bad line has registered three, and then its power is cut for weeks.
    async fn an_office_goes_dark(&mut self) -> Vec<String> {
        let office = self.network.desk(RATANAK_KIRI);
        let mut cases = Vec::new();
        for number in 20..23 {
            cases.push(self.register("ratanak-kiri", &office, number, self.today).await);
        }
        self.eventually_counted("ratanak-kiri", RATANAK_KIRI).await;
        settled(&self.network).await;
        self.network.cut_power("ratanak-kiri").expect("a node can be killed");
        cases
    }

    /// All others report; the ministry sees who is missing, and publishes.
    async fn the_period_is_reported_and_published(&mut self) -> GetFiguresResponse {
        let period = self.period();
        let early = try_to_issue(&self.network.desk(KANDAL).staff().await, &period).await;
        assert_eq!(reason(&early.expect_err("the period is not over")), "PERIOD_NOT_OVER");
        self.network.pass_time(24 * 125).expect("the clock is ours");

        for (node, office) in reporting_offices().into_iter().filter(|(node, _)| *node != "ratanak-kiri") {
            let desk = self.network.desk(office);
            let report = issue(&desk, &period).await;
            assert_eq!(report.node_id, node);
            assert_eq!(said(&report), self.recount(node), "the report of {node}");
            assert_eq!(issue(&desk, &period).await, report, "asked again it is the same report");
        }
        let ministry = self.network.desk(MINISTRY);
        let listed = self.reports_at_the_ministry(5).await;
        assert_eq!(listed.missing_node_ids, ["ratanak-kiri"]);
        for report in &listed.reports {
            assert_eq!(said(report), self.recount(&report.node_id), "the report of {} as it came in", report.node_id);
        }
        let elsewhere = try_to_publish(&self.network.desk(KANDAL).staff().await, &period).await;
        assert_eq!(reason(&elsewhere.expect_err("the ministry alone publishes")), "NOT_THE_MINISTRY");
        let published = publish(&ministry, &period).await;
        self.check_published(&published, |done| done.node != "ratanak-kiri");

        // Everybody may read it, and nobody reads anything else.
        let shelter = self.network.desk(SHELTER);
        let read = figures(&shelter, &period, 0).await;
        assert_eq!(read.publication.as_ref(), Some(&published));
        read
    }

    /// The dark office comes back, and enters what stood on paper; another one finds two forgotten sheets.
    async fn the_dark_office_delivers_late(&mut self, cases: &[String], first: &GetFiguresResponse) {
        let period = self.period();
        self.network.pass_time(24 * 21).expect("the clock is ours");
        self.network.start("ratanak-kiri").await.expect("the power is back");
        let office = self.network.desk(RATANAK_KIRI);
        assert_eq!(cases.len(), 3);
        for number in 23..27 {
            self.register("ratanak-kiri", &office, number, self.today.plus_days(2)).await;
        }
        self.eventually_counted("ratanak-kiri", RATANAK_KIRI).await;
        let late = issue(&office, &period).await;
        assert_eq!((late.edition, said(&late)), (0, self.recount("ratanak-kiri")));

        let province = self.network.desk(KANDAL);
        let reported = self.recount("kandal");
        for number in 30..32 {
            self.register("kandal", &province, number, self.today.plus_days(1)).await;
        }
        self.eventually_counted("kandal", KANDAL).await;
        let listed = list(&province, &period).await;
        assert_eq!(
            listed.outdated_periods,
            std::slice::from_ref(&period),
            "that the report does not say all of it is seen"
        );
        let stays: Vec<_> = listed.reports.iter().map(said).collect();
        assert_eq!(stays, std::slice::from_ref(&reported), "what was reported stays");
        let amended = issue(&province, &period).await;
        assert_eq!((amended.edition, said(&amended)), (1, self.recount("kandal")));

        let listed = self.reports_at_the_ministry(7).await;
        assert_eq!(listed.missing_node_ids, Vec::<String>::new());
        let of_kandal = listed.reports.iter().filter(|report| report.node_id == "kandal");
        let editions: Vec<_> = of_kandal.map(|report| (report.edition, said(report))).collect();
        assert_eq!(editions, [(1, self.recount("kandal")), (0, reported)], "both editions are there to be compared");

        let correction = publish(&self.network.desk(MINISTRY), &period).await;
        assert_eq!(correction.edition, 1);
        let (begin, known) = (self.today, ["poipet", "kandal"]);
        self.check_published(&correction, |done| !known.contains(&done.node) || done.on > begin);
        let read = figures(&self.network.desk(SHELTER), &period, 1).await;
        assert_eq!(read.publication, first.publication, "what was published does not change");
        assert_eq!(read.corrections, [correction]);
        settled(&self.network).await;
    }

    /// The tables are dropped as another version of the program would drop them, and filled again from the events.
    async fn figures_are_the_same_after_they_were_made_anew(&mut self) {
        let dimensions = [Dimension::Sex, Dimension::Month, Dimension::Office, Dimension::Need, Dimension::Waited];
        let mut before = Vec::new();
        for made_anew in [false, true] {
            if made_anew {
                self.network.cut_power("kandal").expect("a node can be killed");
                let file = self.network.data("kandal").join("insight.sqlite");
                let url = format!("sqlite://{}?mode=rw", file.display());
                sqlx::any::install_default_drivers();
                let options = AnyConnectOptions::from_str(&url).expect("an address");
                let mut connection = options.connect().await.expect("the database of a node that was killed");
                let sql = "update read_model set version = 0 where name = 'figures'; delete from counted_fact;";
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("a version that is no more");
                drop(connection);
                self.network.start("kandal").await.expect("the node starts");
            }
            let desk = self.network.desk(KIEN_SVAY);
            let mut seen = Vec::new();
            for measure in self.measures_of("kandal") {
                for by in dimensions {
                    seen.push(format!("{:?}", count(&desk, measure, self.today, &[by]).await));
                }
            }
            seen.push(format!("{:?}", list(&desk, "").await));
            seen.push(format!("{:?}", figures(&desk, &self.period(), 1).await));
            if made_anew {
                assert_eq!(seen, before);
            }
            before = seen;
        }
    }

    /// Neither in what insight keeps, nor in what it answers.
    async fn nobody_stands_in_the_figures(&mut self) {
        let mut answers = Vec::new();
        for (node, office) in reporting_offices() {
            let desk = self.network.desk(office);
            for measure in self.measures_of(node) {
                let by = [Dimension::Detail, Dimension::Office];
                answers.push(format!("{:?}", count(&desk, measure, self.today, &by).await));
            }
            answers.push(format!("{:?}", list(&desk, "").await));
        }
        let answers = answers.concat();
        let mut searched = 0;
        for node in NODES {
            self.network.cut_power(node).expect("a node can be killed");
            for entry in fs::read_dir(self.network.data(node)).expect("the data of a node") {
                let path = entry.expect("a file").path();
                let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
                if name.starts_with("insight") && path.is_file() {
                    let bytes = fs::read(&path).expect("it can be read");
                    searched += usize::from(contains(&bytes, "case_registered"));
                    for word in Canary::ALL.into_iter().chain([NAME]) {
                        assert!(!contains(&bytes, word), "{word:?} stands in {}", path.display());
                    }
                }
            }
        }
        assert!(searched >= 3, "the search finds what is there");
        assert!(answers.contains("osvy-kien-svay"));
        for word in Canary::ALL.into_iter().chain([NAME]) {
            assert!(!answers.contains(word), "{word:?} stands in an answer");
        }
    }

    /// Opens a case as of a day.
    async fn register(&mut self, node: &'static str, desk: &Desk, number: usize, on: Date) -> String {
        let case = new_id();
        let sex = if number.is_multiple_of(2) { Sex::Female } else { Sex::Male };
        let request = RegisterPersonRequest {
            case_id: case.clone(),
            person: Some(somebody(number, sex)),
            registered_on: on.to_string(),
        };
        desk.ask("registering", async |staff: Staff| {
            staff.cases().register_person(staff.ask(request.clone())).await.map(drop)
        })
        .await;
        self.people.insert(case.clone(), sex);
        self.note_on(node, Measure::CaseRegistered, &case, on);
        case
    }

    /// What was done at a node.
    fn measures_of(&self, node: &str) -> BTreeSet<Measure> {
        self.done.iter().filter(|done| done.node == node).map(|done| done.measure).collect()
    }

    /// What a node's report must say: each measure, as a whole, by sex, by the province of the office, and by month.
    fn recount(&self, node: &str) -> BTreeMap<(Measure, String), i64> {
        let mut recount = BTreeMap::new();
        for done in self.done.iter().filter(|done| done.node == node) {
            for value in values(done) {
                *recount.entry((done.measure, value)).or_default() += 1;
            }
        }
        recount
    }

    /// What is told is the recount of this, and no number tells of fewer than five.
    fn check_published(&self, published: &Publication, is_in_it: impl Fn(&Done) -> bool) {
        let mut totals = BTreeMap::<(Measure, String), i64>::new();
        for done in self.done.iter().filter(|done| is_in_it(done)) {
            for value in values(done) {
                *totals.entry((done.measure, value)).or_default() += 1;
            }
        }
        let told: BTreeSet<_> = published.figures.iter().map(PublishedFigure::measure).collect();
        let counted: BTreeSet<_> = totals.keys().map(|(measure, _)| *measure).collect();
        assert_eq!(told, counted, "there is a figure for all that happened, and for nothing else");
        for figure in &published.figures {
            assert!(figure.count.is_none_or(|count| count >= SMALLEST), "{figure:?} is small");
            let key = (figure.measure(), format!("{}{}", label(figure.dimension()), figure.value));
            if let (Some(total), false) = (totals.get(&key), figure.value == "OTHER") {
                let expected = Some(*total).filter(|total| *total >= SMALLEST);
                assert_eq!(figure.count, expected, "{key:?}");
            }
        }
        let count = |measure, value: &str| {
            let key = format!("sex={value}");
            let is = |figure: &&PublishedFigure| {
                figure.measure() == measure && format!("{}{}", label(figure.dimension()), figure.value) == key
            };
            published.figures.iter().find(is).and_then(|figure| figure.count)
        };
        if published.edition == 0 {
            // Three of sixteen are men, and one could not tell so from the women and the total.
            assert_eq!((count(Measure::Arrived, "male"), count(Measure::Arrived, "female")), (None, None));
            assert_eq!(count(Measure::Arrived, "OTHER"), Some(16));
        }
    }

    /// Waits until a node has counted as much as was done there, and checks that it is that and nothing else.
    async fn eventually_counted(&self, node: &str, office: &str) {
        let desk = self.network.desk(office);
        let expected = self.recount(node);
        let done = self.measures_of(node);
        let mut seen = BTreeMap::new();
        for _ in 0..LOOKS {
            seen = self.counted(&desk, &done).await;
            if seen == expected {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        assert_eq!(seen, expected, "the figures of {node}");
        for measure in measures().filter(|measure| !done.contains(measure)) {
            let counted = count(&desk, measure, self.today, &[]).await;
            assert_eq!(counted.totals[0].count, 0, "{measure:?} at {node}");
        }
    }

    async fn counted(&self, desk: &Desk, measures: &BTreeSet<Measure>) -> BTreeMap<(Measure, String), i64> {
        let mut seen = BTreeMap::new();
        for &measure in measures {
            for by in [Dimension::Unspecified, Dimension::Sex, Dimension::Month, Dimension::Province] {
                let asked = [by];
                let asked = if by == Dimension::Unspecified { &[] } else { asked.as_slice() };
                for group in count(desk, measure, self.today, asked).await.groups {
                    let value = group.values.first().map_or("", String::as_str);
                    seen.insert((measure, format!("{}{value}", label(by))), group.tallies[0].count);
                }
            }
        }
        seen
    }

    async fn reports_at_the_ministry(&self, reports: usize) -> ListPeriodReportsResponse {
        let period = self.period();
        self.network
            .desk(MINISTRY)
            .until("the reports", async |staff: Staff| {
                let request = ListPeriodReportsRequest { period: period.clone() };
                let listed = staff.insight().list_period_reports(staff.ask(request)).await?.into_inner();
                Ok((listed.reports.len() == reports).then_some(listed))
            })
            .await
    }
}

fn reporting_offices() -> [(&'static str, &'static str); 6] {
    [
        ("mosvy", MINISTRY),
        ("poipet", TRANSIT_CENTRE),
        ("house-of-hope", SHELTER),
        ("banteay-meanchey", BANTEAY_MEANCHEY),
        ("ratanak-kiri", RATANAK_KIRI),
        ("kandal", KANDAL),
    ]
}

/// The groups that something is counted in.
fn values(done: &Done) -> [String; 4] {
    let province = match done.node {
        "poipet" => "01",
        "ratanak-kiri" => "16",
        _ => "08",
    };
    let sex = if done.sex == Sex::Male { "male" } else { "female" };
    [
        String::new(),
        format!("sex={sex}"),
        format!("province={province}"),
        format!("month={}", &done.on.to_string()[..7]),
    ]
}

fn label(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Unspecified => "",
        Dimension::Sex => "sex=",
        Dimension::Province => "province=",
        Dimension::Month => "month=",
        _ => "another=",
    }
}

/// What a report says by the groups of the recount.
fn said(report: &Report) -> BTreeMap<(Measure, String), i64> {
    let told = report.figures.iter().filter(|figure| label(figure.dimension()) != "another=");
    told.map(|figure| ((figure.measure(), format!("{}{}", label(figure.dimension()), figure.value)), figure.count))
        .collect()
}

fn measures() -> impl Iterator<Item = Measure> {
    (1..=28).map(|number| Measure::try_from(number).expect("a measure"))
}

/// A grown-up whose name is nobody else's.
fn somebody(number: usize, sex: Sex) -> Person {
    let name = Some(Name { family: Canary::FAMILY_LATIN.to_owned(), given: format!("{NAME}{number}") });
    Person { latin_name: name, sex: sex.into(), ..invented(number) }
}

fn contains(bytes: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(word)
}
