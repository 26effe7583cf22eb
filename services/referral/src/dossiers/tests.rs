//! What travels with an offer is what the recorded offer promised, and nothing else that was put together for it.

use spean_custody::case::Command;
use spean_identity::NodeKeys;
use spean_testkit::a_folder;
use spean_vocabulary::{DeclineReason, WithdrawReason};

use super::*;
use crate::moves::tests as moves;
use crate::subject::tests::{Told, offer};

const NOW: Timestamp = Timestamp::from_micros(1_795_300_200_000_000);

/// A vault with what was put together for some offers.
struct Shelf {
    vault: Vault,
    case: CaseId,
}

impl Shelf {
    async fn keeps(&self, id: OfferId, sealed: &[u8]) {
        let person = self.case.reinterpret();
        self.vault.keep_dossier(id, Direction::Out, person, sealed, NOW).await.unwrap();
    }

    async fn prepares(&self, number: u8, sealed: &[u8]) {
        self.keeps(kept_as(offer(number), digest_of(sealed)), sealed).await;
    }
}

fn digest_of(sealed: &[u8]) -> Digest {
    Digest::from_bytes(digest(sealed))
}

#[tokio::test]
async fn what_came_with_a_handoff_that_a_restore_undid_goes_when_the_handoff_does_not_happen() {
    let folder = a_folder();
    let url = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let store = moves::open(&url("referral.sqlite")).await;
    let keys = NodeKeys::create(&folder.path().join("keys")).unwrap();
    let vault = Vault::open(&url("vault.sqlite"), &keys).await.unwrap();
    let kandal = moves::party("kandal");
    let refused = |offer| ("kandal", Command::Decline { offer, reason: DeclineReason::NoCapacity });
    let taken_back = |offer| ("takeo", Command::Withdraw { offer, reason: WithdrawReason::SentByMistake });
    let accepted = |offer| ("kandal", Command::Accept { offer });
    let ends: [&dyn Fn(OfferId) -> (&'static str, Command); 3] = [&refused, &taken_back, &accepted];
    for (number, (end, stays)) in (1..).zip(ends.into_iter().zip([false, false, true])) {
        let (case, offer) = (moves::case(number), moves::offer(number));
        moves::begin(&store, "takeo", number).await;
        let made = Command::Offer { offer, to: kandal.clone(), terms: moves::terms(None) };
        moves::act(&store, "takeo", number, made).await;
        // The log is from before the handoff, and the vault is not.
        vault.keep_dossier(offer, Direction::In, case.reinterpret(), b"from before", NOW).await.unwrap();
        let state = async || {
            let custody = store.load::<CaseCustody>(&stream(&kandal.office, case)).await.unwrap().state;
            let received = custody.offers_in().find(|(id, _)| *id == offer);
            received.expect("it was offered").1.state
        };
        let is_there = async || {
            return_one(&vault, &store, &kandal.office, case, offer).await.unwrap();
            vault.sealed_dossier(offer, Direction::In).await.unwrap().is_some()
        };
        assert!(is_there().await, "it may happen yet");
        assert!(!is_due(state().await), "and until then it is nobody's to read");
        let (office, command) = end(offer);
        moves::act(&store, office, number, command).await;
        assert_eq!((is_there().await, is_due(state().await)), (stays, stays), "offer {number}");
    }
    store.close().await;
}

#[tokio::test]
async fn only_what_the_recorded_offer_promised_travels() {
    let folder = a_folder();
    let url = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let told = Told::of(&url("referral.sqlite"), 1).await;
    let keys = NodeKeys::create(&folder.path().join("keys")).unwrap();
    let shelf = Shelf { vault: Vault::open(&url("vault.sqlite"), &keys).await.unwrap(), case: told.case };
    let (then, now): (&[u8], &[u8]) = (b"put together for the refused one", b"put together for the recorded one");
    let travels = async |number| sealed(&shelf.vault, &told.store, offer(number)).await.unwrap();

    shelf.prepares(1, then).await;
    shelf.prepares(1, now).await;
    assert_eq!(travels(1).await, None, "nothing is recorded yet");
    assert_eq!(told.offers_with(1, None, Some(digest_of(now))).await, None);
    assert_eq!(travels(1).await.as_deref(), Some(now));
    discard(&shelf.vault, offer(1), digest_of(then)).await;
    assert_eq!(travels(1).await.as_deref(), Some(now), "the refused one was another's");

    shelf.prepares(2, then).await;
    shelf.keeps(offer(2), then).await;
    assert_eq!(told.offers_with(2, None, None).await, None);
    assert_eq!(travels(2).await, None, "recorded without a dossier");

    shelf.keeps(offer(3), now).await;
    assert_eq!(told.offers_with(3, None, Some(digest_of(now))).await, None);
    assert_eq!(travels(3).await.as_deref(), Some(now), "as earlier versions kept it");

    shelf.prepares(4, now).await;
    assert_eq!(told.offers_with(4, None, Some(digest_of(now))).await, None);
    discard(&shelf.vault, offer(4), digest_of(now)).await;
    assert_eq!(travels(4).await, None);
    told.store.close().await;
}
