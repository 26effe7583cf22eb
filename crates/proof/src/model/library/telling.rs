//! Steps in words.

use super::{Action, Library, Numbered, Place};

impl Library {
    /// A step in words.
    pub fn told(&self, action: Action) -> String {
        let at = |place: Place| self.network.node(place);
        let torn = |torn: bool| if torn { ", and the node dies in the middle" } else { "" };
        match action {
            Action::Ask { seat, ask, torn: died } => {
                format!("{}{}", ask.told(&self.network, self.network.party(seat)), torn(died))
            }
            Action::Deliver { letter, receipt, torn: died } => {
                let letter = self.letters.get(letter);
                let lost = if receipt { "" } else { "; no receipt comes back" };
                format!("{}{lost}{}", self.told_letter(letter), torn(died))
            }
            Action::Carry(place) => format!("a letter between two offices of {} is applied", at(place)),
            Action::Backup(place) => format!("a backup of {} is taken", at(place)),
            Action::Restore(place) => format!("{} comes back from its backup", at(place)),
            Action::Greet { node, peer, answered } => {
                let answer = if answered { "answers" } else { "answers, and the answer is on its way" };
                format!("{} introduces itself to {}, which {answer}", at(node), at(peer))
            }
            Action::LateAnswer { node, peer } => format!("a late answer of {} comes to {}", at(peer), at(node)),
            Action::Forge(victim) => {
                format!("a hostile node writes a forged override to {}", self.network.party(victim).office)
            }
        }
    }

    fn told_letter(&self, numbered: &Numbered) -> String {
        let Numbered { from, to, incarnation, sequence, letter } = numbered;
        let said: &str = (&letter.outgoing.message).into();
        let (from, to) = (self.network.node(*from), self.network.node(*to));
        let by = &self.network.party(letter.from).office;
        format!(
            "letter {incarnation}.{sequence} from {from} comes to {to}: `{said}` by {by} for {}",
            letter.outgoing.to.office
        )
    }
}
