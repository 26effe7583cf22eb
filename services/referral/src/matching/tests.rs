//! What fits and what does not, with its reasons; and that the order is one, whatever comes in.

use proptest::prelude::*;
use spean_vocabulary::Id;

use super::*;

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_micros(1_795_300_200_000_000)
}

fn place(code: &str) -> PlaceCode {
    code.parse().unwrap()
}

/// A young woman of Kien Svay who speaks Vietnamese.
fn wanted() -> Wanted {
    Wanted {
        need: Need::Medical,
        sex: Sex::Female,
        age_band: AgeBand::Adult,
        language: Some("vi".to_owned()),
        worker_sex: Some(Sex::Female),
        near: place("0802"),
        reach: Reach::District,
        by: office("osvy-kien-svay"),
    }
}

fn candidate(number: u8, at: &str) -> Candidate {
    let offering = Offering {
        offering_id: id(number),
        office: office(&format!("office-{number}")),
        need: Need::Medical,
        sexes: BTreeSet::new(),
        age_bands: BTreeSet::new(),
        languages: ["km".to_owned()].into(),
        places: BTreeSet::new(),
        capacity_persons: Some(5),
        worker_sexes: BTreeSet::new(),
        valid_from: "2026-01-01".parse().unwrap(),
        withdrawn_on: None,
    };
    let figures = Figures { capacity_persons: Some(5), taken_persons: 1, reserved_persons: 1, waiting_persons: 0 };
    Candidate {
        offering,
        place: Some(place(at)),
        state: OfficeState::Open,
        figures: Some((figures, now())),
        before: None,
    }
}

fn full(candidate: Candidate) -> Candidate {
    let figures = Figures { capacity_persons: Some(2), taken_persons: 2, reserved_persons: 0, waiting_persons: 3 };
    Candidate { figures: Some((figures, now())), ..candidate }
}

fn one(candidate: Candidate) -> Match {
    rank(&wanted(), &[candidate], now()).remove(0)
}

fn excluded(candidate: Candidate) -> Vec<Reason> {
    let found = one(candidate);
    assert!(!found.is_eligible() && found.score == 0);
    found.excluded_because.into_iter().map(|point| point.reason).collect()
}

fn with(change: impl FnOnce(&mut Candidate)) -> Candidate {
    let mut changed = candidate(1, "0802");
    change(&mut changed);
    changed
}

#[test]
fn what_is_near_comes_first() {
    let candidates =
        [candidate(1, "16"), candidate(2, "12"), candidate(3, "0810"), candidate(4, "080201"), candidate(5, "0802")];
    let wanted = Wanted { near: place("080201"), ..wanted() };
    let order: Vec<_> = rank(&wanted, &candidates, now()).iter().map(|found| found.office.to_string()).collect();
    assert_eq!(order, ["office-4", "office-5", "office-3", "office-2", "office-1"]);
}

#[test]
fn every_reason_is_given_so_that_a_person_can_argue() {
    let found = one(candidate(1, "12"));
    let points = |points: &[Point]| points.iter().map(|point| (point.reason, point.detail.clone())).collect::<Vec<_>>();
    let none = String::new;
    assert_eq!(
        points(&found.reasons_for),
        [(Reason::NeighbouringProvince, none()), (Reason::PlacesFree, "3".to_owned())]
    );
    let against = [
        (Reason::FartherThanWished, none()),
        (Reason::LanguageNotSpoken, "vi".to_owned()),
        (Reason::WorkerNotSaid, none()),
    ];
    assert_eq!(points(&found.reasons_against), against);
    let found = one(with(|here| {
        here.offering.languages = ["vi".to_owned()].into();
        here.offering.worker_sexes = [Sex::Female].into();
        here.figures = None;
        here.offering.capacity_persons = None;
    }));
    for reason in [Reason::SameDistrict, Reason::SpeaksLanguage, Reason::WorkerAsWished, Reason::NotLimited] {
        assert!(found.says(reason), "{reason:?}");
    }
    assert!(one(with(|here| here.offering.worker_sexes = [Sex::Male].into())).says(Reason::WorkerNotAsWished));
    assert!(one(with(|here| here.figures = None)).says(Reason::PlacesNotTold));
    assert!(one(with(|here| here.state = OfficeState::Unstaffed)).says(Reason::Unstaffed));
    assert!(one(full(candidate(1, "0802"))).says(Reason::Full));
}

#[test]
fn an_old_figure_is_called_old() {
    let old = with(|here| here.figures = here.figures.map(|(figures, _)| (figures, now().plus_hours(-50))));
    let found = one(old);
    let point = found.reasons_against.iter().find(|point| point.reason == Reason::FigureOld).unwrap();
    assert_eq!(point.detail, "50");
}

#[test]
fn what_may_not_be_asked_is_shown_with_the_reason() {
    let cases = [
        (with(|here| here.offering.sexes = [Sex::Male].into()), Reason::NotForThisSex),
        (with(|here| here.offering.age_bands = [AgeBand::Child].into()), Reason::NotForThisAge),
        (with(|here| here.offering.places = [place("16")].into()), Reason::NotForThisPlace),
        (with(|here| here.offering.valid_from = "2199-01-01".parse().unwrap()), Reason::NotYet),
        (with(|here| here.offering.withdrawn_on = "2026-01-01".parse().ok()), Reason::Ended),
        (with(|here| here.state = OfficeState::Closed), Reason::OfficeClosed),
        (with(|here| here.before = Some(Before::Refused)), Reason::RefusedByPerson),
        (with(|here| here.before = Some(Before::Asked)), Reason::AlreadyAsked),
        (with(|here| here.before = Some(Before::Declined { reason: DeclineReason::NotSafe })), Reason::Declined),
        (
            with(|here| here.before = Some(Before::Waits { position: Some(2), place_kept: false })),
            Reason::OnWaitingList,
        ),
        (with(|here| here.offering.office = wanted().by), Reason::OwnOffice),
    ];
    for (candidate, reason) in cases {
        assert_eq!(excluded(candidate), [reason]);
    }
}

#[test]
fn nobody_is_left_out_for_what_is_not_known() {
    let unknown = Wanted { sex: Sex::Unknown, age_band: AgeBand::Unknown, ..wanted() };
    let narrow = with(|here| {
        here.offering.sexes = [Sex::Female].into();
        here.offering.age_bands = [AgeBand::Adult].into();
    });
    let found = rank(&unknown, &[narrow], now()).remove(0);
    assert!(found.is_eligible() && found.says(Reason::SexNotKnown) && found.says(Reason::AgeNotKnown));
}

#[test]
fn a_kept_place_comes_before_all_others_and_a_no_may_become_a_yes() {
    let kept =
        Candidate { before: Some(Before::Waits { position: None, place_kept: true }), ..full(candidate(1, "16")) };
    let order = rank(&wanted(), &[candidate(2, "0810"), kept], now());
    assert!(order[0].says(Reason::PlaceKept) && !order[0].says(Reason::Full));
    let no_place = Some(Before::Declined { reason: DeclineReason::NoCapacity });
    assert!(one(with(|here| here.before = no_place)).says(Reason::DeclinedWhenFull));
    assert_eq!(excluded(Candidate { before: no_place, ..full(candidate(1, "0802")) }), [Reason::Declined]);
    let more = Some(Before::Declined { reason: DeclineReason::MoreAssessmentNeeded });
    assert!(one(with(|here| here.before = more)).says(Reason::WantsMoreAssessment));
}

#[test]
fn why_nobody_can_meet_a_need_has_four_answers() {
    let why = |candidates: &[Candidate]| unmet(&rank(&wanted(), candidates, now()));
    let for_men = with(|here| here.offering.sexes = [Sex::Male].into());
    let refused = with(|here| here.before = Some(Before::Refused));
    let no_place = with(|here| here.before = Some(Before::Declined { reason: DeclineReason::NoCapacity }));
    assert_eq!(why(&[]), Some(UnmetReason::NobodyOffersIt));
    assert_eq!(why(&[with(|here| here.offering.need = Need::Legal)]), Some(UnmetReason::NobodyOffersIt));
    assert_eq!(why(std::slice::from_ref(&for_men)), Some(UnmetReason::NobodyFits));
    assert_eq!(why(&[full(candidate(1, "0802")), for_men]), Some(UnmetReason::AllFull));
    assert_eq!(why(std::slice::from_ref(&refused)), Some(UnmetReason::AllDeclined));
    assert_eq!(why(&[refused.clone(), full(no_place)]), Some(UnmetReason::AllFull));
    assert_eq!(why(&[refused, candidate(2, "16")]), None);
    assert_eq!(why(&[with(|here| here.before = Some(Before::Asked))]), None);
}

#[test]
fn the_strongest_word_of_an_office_counts() {
    let words = [
        (office("office-a"), Before::Declined { reason: DeclineReason::NoCapacity }),
        (office("office-a"), Before::Refused),
        (office("office-b"), Before::Asked),
        (office("office-b"), Before::Declined { reason: DeclineReason::NotSafe }),
    ];
    let strongest = strongest(words);
    assert_eq!(strongest[&office("office-a")], Before::Refused);
    assert_eq!(strongest[&office("office-b")], Before::Asked);
}

#[test]
fn provinces_lie_side_by_side_or_do_not() {
    assert!(are_neighbours(place("08"), place("12")) && are_neighbours(place("12"), place("08")));
    assert!(!are_neighbours(place("08"), place("16")) && !are_neighbours(place("16"), place("01")));
    for code in 1..=25u8 {
        let one = place(&format!("{code:02}"));
        let neighbours = (1..=25u8).filter(|other| are_neighbours(one, place(&format!("{other:02}")))).count();
        assert!((1..=9).contains(&neighbours), "{one} has {neighbours}");
        assert!(!are_neighbours(one, one));
    }
}

prop_compose! {
    fn any_candidate()(
        number in 0..40u8,
        at in prop::sample::select(vec!["0802", "0810", "080201", "12", "16", "01"]),
        women_only in any::<bool>(), men_only in any::<bool>(), adults in any::<bool>(),
        state in prop::sample::select(vec![OfficeState::Open, OfficeState::Unstaffed, OfficeState::Closed]),
        taken in 0..7u32, told in any::<bool>(), hours in 0..100i64,
        before in prop::sample::select(vec![
            None, Some(Before::Refused), Some(Before::Asked),
            Some(Before::Declined { reason: DeclineReason::NotEligible }),
            Some(Before::Declined { reason: DeclineReason::NoCapacity }),
            Some(Before::Waits { position: None, place_kept: true }),
        ]),
    ) -> Candidate {
        let mut made = candidate(number, at);
        if women_only { made.offering.sexes.insert(Sex::Female); }
        if men_only { made.offering.sexes.insert(Sex::Male); }
        if !adults { made.offering.age_bands.insert(AgeBand::Child); }
        let figures = Figures { taken_persons: taken, ..made.figures.unwrap().0 };
        made.figures = told.then(|| (figures, now().plus_hours(-hours)));
        Candidate { state, before, ..made }
    }
}

proptest! {
    #[test]
    fn what_may_not_be_asked_never_stands_before_what_may_and_the_order_is_one(
        candidates in prop::collection::vec(any_candidate(), 0..12), seed in any::<u64>(),
    ) {
        let mut distinct: Vec<Candidate> = Vec::new();
        for candidate in candidates {
            if distinct.iter().all(|known| known.offering.offering_id != candidate.offering.offering_id) {
                distinct.push(candidate);
            }
        }
        let ranked = rank(&wanted(), &distinct, now());
        prop_assert_eq!(ranked.len(), distinct.len());
        prop_assert!(ranked.is_sorted_by_key(|found| (!found.is_eligible(), Reverse(found.score))));
        for found in &ranked {
            prop_assert_eq!(found.is_eligible(), found.score > 0);
            let of = distinct.iter().find(|candidate| candidate.offering.offering_id == found.offering_id).unwrap();
            if found.is_eligible() {
                let sexes = &of.offering.sexes;
                prop_assert!(sexes.is_empty() || sexes.contains(&Sex::Female));
                prop_assert!(of.offering.age_bands.is_empty() && of.state != OfficeState::Closed);
                prop_assert!(!matches!(of.before, Some(Before::Refused | Before::Asked)));
            }
        }
        let mut shuffled = distinct.clone();
        let turn = usize::try_from(seed % 13).unwrap() % distinct.len().max(1);
        shuffled.rotate_left(turn);
        shuffled.reverse();
        prop_assert_eq!(rank(&wanted(), &shuffled, now()), ranked);
    }
}
