//! After a restore: what a peer returns, and how it is merged.

use spean_custody::case::Message;
use spean_custody::recovery::known_to_neighbour;

use super::{
    Activity, Answer, Arc, BTreeMap, Command, Durable, Got, Invariant, Network, Node, Numbered, Piece, Place, Progress,
    Sent, Step, afresh, offers_to_renew,
};
use crate::network::case;

impl Node {
    /// A node that comes back from a backup in its next incarnation.
    pub fn restored(network: &Network, me: Place, backup: &Durable, incarnation: u64) -> Self {
        let mut durable = backup.clone();
        durable.links.values_mut().for_each(|link| link.reincarnate(incarnation));
        let recovery = network.recovery(me, incarnation);
        let mut node = Self { me, durable, recovery, answers: BTreeMap::new(), alarms: vec![] };
        if !node.is_recovering() {
            node.renumber(&Step::at(network, 0));
        }
        node
    }

    /// Everything that the peer ever said here, and everything that was said to it and that it does not have.
    pub(super) fn answer(&self, peer: Place, for_incarnation: u64, has: u64, step: &Step<'_>) -> Answer {
        let link = &self.durable.links[&peer];
        let mine = link.incarnation();
        let numbered = |from, to, incarnation, sequence, letter: &Arc<_>| {
            let letter = Arc::clone(letter);
            Numbered { from, to, incarnation, sequence, letter }
        };
        let got = self.durable.got.iter().filter(|((from, of, _), _)| *from == peer && *of < for_incarnation);
        let got = got.map(|(&(_, of, sequence), got)| numbered(peer, self.me, of, sequence, &got.letter));
        let missing = self.durable.sent.iter().filter(|&(&(to, of, sequence), sent)| {
            to == peer && (of == mine && sequence > has || of < mine && sent.settled)
        });
        let sent = missing.map(|(&(_, of, sequence), sent)| numbered(self.me, peer, of, sequence, &sent.letter));
        Answer {
            for_incarnation,
            got: if step.lacks(Piece::ReturnOfWhatWasSaid) { vec![] } else { got.collect() },
            sent: if step.lacks(Piece::ReturnOfWhatWasHeard) { vec![] } else { sent.collect() },
            incarnation: mine,
            through: link.last_assigned(),
        }
    }

    /// A peer answers. It is kept until the last one has answered: the order in which all is merged matters.
    pub fn take_answer(&mut self, from: Place, answer: Arc<Answer>, step: &mut Step<'_>) {
        if !self.recovery.allows(Activity::Recall) || answer.for_incarnation != self.incarnation() {
            return;
        }
        let outdated = answer.incarnation < self.durable.links[&from].peer_incarnation();
        if outdated && !step.lacks(Piece::AskingAgain) {
            return;
        }
        self.answers.insert(from, answer);
        let incarnation = self.incarnation();
        if self.recovery.answered(step.network.node(from), incarnation) == Progress::Over {
            self.finish(step);
        }
    }

    /// All have answered. What they got is settled and the rest numbered anew; what they got is merged as said; what they
    /// had sent is applied; open offers are made afresh; and then what came in the meantime.
    fn finish(&mut self, step: &mut Step<'_>) {
        let answers = std::mem::take(&mut self.answers);
        for (&peer, answer) in &answers {
            for said in &answer.got {
                if let Some(sent) = self.durable.sent.get_mut(&(peer, said.incarnation, said.sequence)) {
                    sent.settled = true;
                }
            }
        }
        self.renumber(step);
        for said in answers.values().flat_map(|answer| &answer.got) {
            let outgoing = said.letter.outgoing.clone();
            let command = Command::Recall { to: outgoing.to, message: outgoing.message };
            if let Err(error) = self.commit(said.letter.from, command, step) {
                self.alarm(Invariant::I7, format!("what was said cannot be merged: {error:?}"));
            }
        }
        for (&peer, answer) in &answers {
            for heard in &answer.sent {
                let got = self.durable.got.entry((peer, heard.incarnation, heard.sequence));
                let got = got.or_insert_with(|| Got { letter: Arc::clone(&heard.letter), parked: true });
                if std::mem::take(&mut got.parked) {
                    self.apply(peer, &heard.letter, step);
                }
            }
        }
        for (peer, answer) in &answers {
            let link = self.durable.links.get_mut(peer).expect("all are linked");
            link.resynced(answer.incarnation, answer.through);
        }
        self.tell_neighbours(step);
        if !step.lacks(Piece::Renewal) {
            self.renew(step);
        }
        for peer in answers.keys() {
            self.apply_parked(*peer, step);
        }
    }

    /// What one office of this node learned again of another, that one is told.
    fn tell_neighbours(&mut self, step: &mut Step<'_>) {
        let seats: Vec<_> = self.durable.views.keys().copied().collect();
        for (&seat, &neighbour) in seats.iter().flat_map(|seat| seats.iter().map(move |neighbour| (seat, neighbour))) {
            let (me, to) = (step.network.party(seat), step.network.party(neighbour).clone());
            let Some(chain) = known_to_neighbour(me, self.view(seat), self.view(neighbour)) else { continue };
            let command = Command::Recall { to, message: Message::Witness { case: case(), chain } };
            if let Err(error) = self.commit(seat, command, step) {
                self.alarm(Invariant::I7, format!("what a neighbour knows cannot be merged: {error:?}"));
            }
        }
    }

    fn renew(&mut self, step: &mut Step<'_>) {
        let seats: Vec<_> = self.durable.views.keys().copied().collect();
        for seat in seats {
            for offer in offers_to_renew(self.view(seat)) {
                let command = Command::ReOffer { offer, afresh: afresh(offer, self.incarnation()) };
                if let Err(error) = self.commit(seat, command, step) {
                    self.alarm(Invariant::I7, format!("an open offer cannot be made afresh: {error:?}"));
                }
            }
        }
    }

    /// Letters of the restored outbox that the peer never got travel under the new incarnation, in their order.
    fn renumber(&mut self, step: &Step<'_>) {
        let incarnation = self.incarnation();
        let waits = |&(_, of, _): &(Place, u64, u64), sent: &mut Sent| of < incarnation && !sent.settled;
        let waiting: Vec<_> = self.durable.sent.extract_if(.., waits).collect();
        if step.lacks(Piece::Renumbering) {
            return;
        }
        for ((peer, ..), sent) in waiting {
            let link = self.durable.links.get_mut(&peer).expect("all are linked");
            let sequence = link.assign();
            self.durable.sent.insert((peer, incarnation, sequence), sent);
        }
    }
}
