//! Every state of small networks.

use std::sync::Mutex;

use spean_proof::invariants::Invariant;
use spean_proof::model::{Action, Library, Scenario, State, Verdict, explore, ordinary};
use stateright::{Checker as _, Model, Property};

/// What the ordinary tests look at, at the least.
const STATES: u32 = 500_000;

fn searched_to_the_end(scenario: &Scenario) -> Verdict {
    let verdict = explore(scenario);
    println!("{}: {} states, {} steps", scenario.name, verdict.states, verdict.steps);
    if let Some((broken, way)) = &verdict.broken {
        panic!("{}: {broken}\n{}", scenario.name, way.join("\n"));
    }
    assert!(verdict.complete && verdict.settled > 0, "{}: {verdict:?}", scenario.name);
    verdict
}

#[test]
fn half_a_million_states_keep_every_promise_and_can_all_be_settled() {
    let states: u32 = ordinary().iter().map(|scenario| searched_to_the_end(scenario).states).sum();
    assert!(states >= STATES, "only {states} states");
}

/// The same model under another checker, which has its own idea of what a state is and when all were seen.
struct Elsewhere {
    library: Mutex<Library>,
    first: State,
}

impl Elsewhere {
    fn new(scenario: Scenario) -> Self {
        let mut library = Library::new(scenario);
        let first = library.first();
        Self { library: Mutex::new(library), first }
    }
}

impl Model for Elsewhere {
    type State = State;
    type Action = (Action, State);

    fn init_states(&self) -> Vec<State> {
        vec![self.first]
    }

    fn actions(&self, state: &State, actions: &mut Vec<(Action, State)>) {
        let mut next = vec![];
        self.library.lock().expect("no step panics").next(state, &mut next);
        actions.extend(next.into_iter().map(|(action, _, after)| (action, after)));
    }

    fn next_state(&self, _: &State, (_, after): (Action, State)) -> Option<State> {
        Some(after)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("I1 to I8", |model, state| {
                model.library.lock().expect("no step panics").broken(state).is_none()
            }),
            Property::sometimes("settled", |model, state| {
                model.library.lock().expect("no step panics").unsettled(state).is_none()
            }),
        ]
    }
}

#[test]
fn another_checker_finds_the_same_states() {
    for scenario in [Scenario::TRIANGLE, Scenario::RESTORE, Scenario::OVERRIDE] {
        let ours = searched_to_the_end(&scenario);
        let theirs = Elsewhere::new(scenario).checker().spawn_bfs().join();
        theirs.assert_properties();
        assert_eq!(u32::try_from(theirs.unique_state_count()), Ok(ours.states), "{}", scenario.name);
    }
}

#[test]
fn two_nodes_that_forget_the_same_acceptance_while_a_third_knows_its_certificate_need_people() {
    // Not promised: the certificate comes as a letter that cannot be applied, and waits for a person.
    let verdict = explore(&Scenario::TWO_OF_THREE_RESTORED);
    let (broken, way) = verdict.broken.expect("a limit that is gone must go from the documents as well");
    assert_eq!(
        (broken.invariant, broken.words.as_str()),
        (Invariant::I7, "`transfer` could not be applied: NotAccepted")
    );
    assert_eq!(way.len(), 12, "{way:#?}");
}
