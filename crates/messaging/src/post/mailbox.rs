//! What the broker keeps for a service: read, given to the inbox, acknowledged, and cleared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, AckKind};
use futures::StreamExt as _;
use spean_eventstore::StoreError;
use tokio::time::{Instant, timeout};

use super::{COME_AGAIN, Shared, Taken, inbox, recovery};
use crate::broker::{Broker, Mail, MailboxPlace};

/// The pause before the mailbox is opened again after the broker failed.
const REOPEN_AFTER: Duration = Duration::from_secs(1);
/// How many acknowledged letters may lie in the mailbox before it is cleared: far fewer than one sender may put there.
const LETTERS_TO_CLEAR: u32 = 500;
/// How long no letter comes before what is acknowledged is cleared all the same.
const CLEAR_WHEN_IDLE: Duration = Duration::from_secs(5);

/// How often a letter is looked at whose turn does not come. The mailbox is cleared up to the first letter that is to come
/// again: one whose turn never comes would keep it from being cleared until nobody could write to the node any more.
const DELIVERIES_OUT_OF_TURN: i64 = 4;

/// How often the log says that letters cannot be stored, for as long as that is so: a disk may be full for days.
const SAY_AGAIN: Duration = Duration::from_mins(1);

/// So many letters that nobody has read are a heap: as many again as are fetched together.
const HEAP: u64 = 50;

/// How many letters lie unread in the mailboxes of a service.
#[derive(Default)]
pub(crate) struct MailWaits {
    at_the_hub: AtomicU64,
    at_the_own_server: AtomicU64,
}

impl MailWaits {
    /// Whether this service is behind with its mail. The receipts that it misses may lie there.
    pub(super) fn is_behind(&self) -> bool {
        [&self.at_the_hub, &self.at_the_own_server].iter().any(|waiting| waiting.load(Ordering::Relaxed) >= HEAP)
    }

    fn note(&self, place: MailboxPlace, unread: u64) {
        let at = match place {
            MailboxPlace::Hub => &self.at_the_hub,
            MailboxPlace::OwnServer => &self.at_the_own_server,
        };
        at.store(unread, Ordering::Relaxed);
    }
}

/// Letters that could not be stored and will come again.
#[derive(Default)]
struct NotStored {
    said_at: Option<Instant>,
    unsaid: u64,
}

impl NotStored {
    fn say(&mut self, shared: &Shared, error: &StoreError) {
        if let Some(attempts) = self.attempts_to_say(Instant::now()) {
            tracing::warn!(me = %shared.me, error = %error, attempts, "letters cannot be stored now; they will come again");
        }
    }

    /// How often it failed since the log said so last; none when that was a moment ago.
    fn attempts_to_say(&mut self, now: Instant) -> Option<u64> {
        self.unsaid += 1;
        if self.said_at.is_some_and(|said_at| now.duration_since(said_at) < SAY_AGAIN) {
            return None;
        }
        self.said_at = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

pub(super) async fn run(shared: Arc<Shared>, broker: Broker, place: MailboxPlace) {
    let mut connected = broker.connected();
    let mut not_stored = NotStored::default();
    loop {
        if connected.wait_for(|connected| *connected).await.is_err() {
            return;
        }
        match broker.mail(shared.me.service, place).await {
            Ok(Mail { mut letters, created, unread }) => {
                shared.mail_waits.note(place, unread);
                if created {
                    tracing::info!(me = %shared.me, "the mailbox is new; telling the peers");
                }
                recovery::greet_all(&shared).await;
                read(&shared, &broker, place, &mut letters, &mut not_stored).await;
            }
            Err(error) => tracing::debug!(me = %shared.me, error = %error, "the mailbox cannot be opened now"),
        }
        tokio::time::sleep(REOPEN_AFTER).await;
    }
}

/// Takes letters until the mailbox must be opened again.
async fn read(
    shared: &Arc<Shared>,
    broker: &Broker,
    place: MailboxPlace,
    letters: &mut pull::Stream,
    not_stored: &mut NotStored,
) {
    // What lies there may all be acknowledged: by this service before it was started again, for example.
    let (mut taken_letters, mut taken_bytes) = (LETTERS_TO_CLEAR, 0);
    loop {
        // A mailbox that is full of what was acknowledged takes no letter any more, so none will come that has it cleared.
        let Ok(next) = timeout(CLEAR_WHEN_IDLE, letters.next()).await else {
            shared.mail_waits.note(place, 0);
            if taken_letters > 0 {
                let is_clear = clear(shared, broker, place).await;
                (taken_letters, taken_bytes) = (u32::from(!is_clear), 0);
            }
            continue;
        };
        match next {
            Some(Ok(message)) => {
                shared.mail_waits.note(place, message.info().map_or(0, |info| info.pending));
                taken_letters += 1;
                taken_bytes += message.payload.len() as u64;
                take(shared, message, not_stored).await;
                if taken_letters >= LETTERS_TO_CLEAR || taken_bytes >= broker.room_to_keep() {
                    clear(shared, broker, place).await;
                    (taken_letters, taken_bytes) = (1, 0);
                }
            }
            Some(Err(error)) => {
                tracing::debug!(me = %shared.me, error = %error, "the mailbox must be opened again");
                return;
            }
            None => return,
        }
    }
}

/// What is acknowledged need not lie in the mailbox: it would be full one day, for everybody who writes to this node.
/// Tells whether nothing was left.
async fn clear(shared: &Shared, broker: &Broker, place: MailboxPlace) -> bool {
    match broker.clear(shared.me.service, place).await {
        Ok(is_clear) => is_clear,
        Err(error) => {
            tracing::debug!(me = %shared.me, error = %error, "the mailbox is cleared later");
            false
        }
    }
}

async fn take(shared: &Arc<Shared>, message: jetstream::Message, not_stored: &mut NotStored) {
    let subject = message.subject.to_string();
    let answer = match inbox::read(shared, &subject, &message.payload).await {
        Ok(taken) => taken,
        Err(error) => {
            not_stored.say(shared, &error);
            Taken::Later
        }
    };
    let deliveries = message.info().map_or(0, |info| info.delivered);
    let kind = match answer {
        Taken::Stored => AckKind::Ack,
        Taken::OutOfTurn if deliveries >= DELIVERIES_OUT_OF_TURN => AckKind::Ack,
        Taken::OutOfTurn | Taken::Later => AckKind::Nak(Some(COME_AGAIN)),
    };
    if let Err(error) = message.ack_with(kind).await {
        tracing::debug!(error = %error, "an acknowledgement was lost; the letter will be a duplicate");
    }
    fail::fail_point!("inbox::after_acknowledgement");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_a_heap_of_unread_mail_is_behind_until_it_is_read() {
        let mail = MailWaits::default();
        assert!(!mail.is_behind());
        mail.note(MailboxPlace::Hub, HEAP - 1);
        mail.note(MailboxPlace::OwnServer, HEAP - 1);
        assert!(!mail.is_behind(), "each is fetched in one go");
        mail.note(MailboxPlace::OwnServer, HEAP);
        assert!(mail.is_behind(), "wherever it lies");
        mail.note(MailboxPlace::Hub, 0);
        assert!(mail.is_behind(), "what is read at the one place says nothing of the other");
        mail.note(MailboxPlace::OwnServer, 0);
        assert!(!mail.is_behind());
    }

    #[test]
    fn that_letters_cannot_be_stored_is_said_at_once_and_then_once_a_minute_with_their_number() {
        let (mut not_stored, start) = (NotStored::default(), Instant::now());
        assert_eq!(not_stored.attempts_to_say(start), Some(1));
        for second in 1..60 {
            assert_eq!(not_stored.attempts_to_say(start + Duration::from_secs(second)), None);
        }
        assert_eq!(not_stored.attempts_to_say(start + SAY_AGAIN), Some(60));
        assert_eq!(not_stored.attempts_to_say(start + SAY_AGAIN + Duration::from_secs(59)), None);
    }
}
