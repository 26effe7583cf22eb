//! What travels with an offer is what the recorded offer promised, and nothing else that was put together for it.

use spean_identity::NodeKeys;
use spean_testkit::a_folder;

use super::*;
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
