//! Histories that need more luck than a seed has: told step by step.

use spean_contracts::referral::v1::OfferKind;
use spean_messaging::post::mark_as_restored;
use spean_vocabulary::{Service, kind};

use crate::Stage;
use crate::broker::Mail;
use crate::casework::Work;
use crate::disk::Disk;
use crate::node::PostRound;
use crate::staff::{Ask, Staff};
use crate::world::{HOUR, SECOND, World};

const MOSVY: usize = 0;
const KANDAL: usize = 2;
const MOSVY_OFFICE: usize = 0;
const KANDAL_OFFICE: usize = 3;

#[test]
fn what_a_peer_said_before_it_was_restored_itself_is_thrown_away_and_asked_again() {
    let stage = Stage::set().unwrap();
    let played = stage.scripted(async |world| {
        let case = an_opened_case(world).await?;
        let [of_mosvy, of_kandal] = [a_backup(world, MOSVY)?, a_backup(world, KANDAL)?];
        // After both backups, the case goes to Kandal: the ministry has the offer, Kandal the acceptance.
        let offer = "8a5f7c1e-40cf-4d3b-9d6c-0f8a1b2c3d4e".to_owned();
        let ask = Ask::Offer { offer: offer.clone(), case, to: KANDAL_OFFICE, kind: OfferKind::Transfer };
        ask_at(world, MOSVY_OFFICE, &ask).await?;
        world.heal().await?;

        restore(world, KANDAL, &of_kandal).await?;
        round(world, KANDAL, PostRound::Greet).await?;
        bring(world, MOSVY).await?;
        let said = bring(world, KANDAL).await?;
        assert!(!is_awaited(world, KANDAL, MOSVY).await?, "the ministry has answered");

        restore(world, MOSVY, &of_mosvy).await?;
        round(world, MOSVY, PostRound::Greet).await?;
        bring(world, KANDAL).await?;
        assert!(is_awaited(world, KANDAL, MOSVY).await?, "what it said may never have happened");
        // What it had said comes once more, late.
        for mail in &said {
            world.nodes[KANDAL].receive(mail).await?;
        }
        assert!(is_awaited(world, KANDAL, MOSVY).await?, "and says no more than before");

        world.heal().await?;
        world.all_is_well().await
    });
    played.unwrap();
}

#[test]
fn an_answer_to_an_earlier_incarnation_is_no_answer_to_a_later_one() {
    let stage = Stage::set().unwrap();
    let played = stage.scripted(async |world| {
        an_opened_case(world).await?;
        let of_kandal = a_backup(world, KANDAL)?;
        restore(world, KANDAL, &of_kandal).await?;
        round(world, KANDAL, PostRound::Greet).await?;
        bring(world, MOSVY).await?;
        // The ministry has answered; before that is read, the node is put back once more.
        restore(world, KANDAL, &of_kandal).await?;
        bring(world, KANDAL).await?;
        assert!(is_awaited(world, KANDAL, MOSVY).await?, "that was said to the node before it was put back again");

        round(world, KANDAL, PostRound::Greet).await?;
        bring(world, MOSVY).await?;
        bring(world, KANDAL).await?;
        assert!(!is_awaited(world, KANDAL, MOSVY).await?, "and this to the node as it is");
        world.heal().await?;
        world.all_is_well().await
    });
    played.unwrap();
}

/// Whoever looks at such a copy finds it whole: the mark alone tells that the log went on, and peers who are away, or
/// recover themselves, say nothing.
#[test]
fn a_copy_from_just_before_a_letter_left_is_known_for_an_old_one_without_a_word_from_anybody() {
    let stage = Stage::set().unwrap();
    let played = stage.scripted(async |world| {
        let case = an_opened_case(world).await?;
        round(world, MOSVY, PostRound::Mark).await?;
        let of_mosvy = a_backup(world, MOSVY)?;
        let offer = "8a5f7c1e-40cf-4d3b-9d6c-0f8a1b2c3d4e".to_owned();
        let ask = Ask::Offer { offer, case: case.clone(), to: KANDAL_OFFICE, kind: OfferKind::Transfer };
        ask_at(world, MOSVY_OFFICE, &ask).await?;
        round(world, MOSVY, PostRound::Send).await?;
        assert_eq!(letters(world, KANDAL), 1, "it has left, and nobody has read it");

        put_back(world, MOSVY, &of_mosvy).await?;
        assert!(is_awaited(world, MOSVY, KANDAL).await?, "it knows that it forgot something");
        world.heal().await?;
        world.all_is_well().await
    });
    played.unwrap();
}

/// The register goes on recording while it recovers. What it answers to another service of its node, which recovers as well,
/// may hold that: then that service knows letters of the new incarnation, and must answer all the same.
#[test]
fn a_service_that_knows_already_what_a_recovering_one_recorded_still_answers_it() {
    let stage = Stage::set().unwrap();
    let played = stage.scripted(async |world| {
        an_opened_case(world).await?;
        let of_mosvy = a_backup(world, MOSVY)?;
        restore(world, MOSVY, &of_mosvy).await?;
        let case = "3d8c4b2f-9e7a-4d2a-8b77-8f3e4a5b6c7d".to_owned();
        ask_at(world, MOSVY_OFFICE, &Ask::Register { case, number: 1 }).await?;
        // All recover but the register, which answers what it is asked and asks nobody yet.
        let is_recovering =
            |world: &World, service| world.nodes[MOSVY].post(service).expect("it is up").is_recovering();
        let others = || spean_chassis::every_service().into_iter().filter(|service| *service != Service::Cases);
        for _ in 0..20 {
            for service in others() {
                world.nodes[MOSVY].post_round(service, PostRound::Recover).await?;
            }
            world.broker.sort();
            bring_all(world).await?;
            world.nodes.iter().for_each(|node| node.move_clock(5 * SECOND));
        }
        assert!(others().all(|service| !is_recovering(world, service)), "they have heard everybody");
        assert!(is_recovering(world, Service::Cases));
        world.heal().await?;
        world.all_is_well().await
    });
    played.unwrap();
}

/// A service that was restored had something to tell that had not left, and records something newer while it recovers: who
/// is told hears them in that order.
#[test]
fn what_was_written_before_a_restore_is_told_before_what_was_written_since() {
    let stage = Stage::set().unwrap();
    let played = stage.scripted(async |world| {
        ask_at(world, KANDAL_OFFICE, &Ask::Work(Work::Places { persons: 2 })).await?;
        let before = a_backup(world, KANDAL)?;
        restore(world, KANDAL, &before).await?;
        ask_at(world, KANDAL_OFFICE, &Ask::Work(Work::Places { persons: 3 })).await?;
        assert!(world.nodes[KANDAL].is_recovering(), "nobody has answered it yet");
        world.heal().await?;
        world.all_is_well().await
    });
    played.unwrap();
}

/// The register lets no office have a case under the id of another's. When it has forgotten the first one with its disk, the
/// desk knows.
#[test]
fn a_case_that_the_register_forgot_is_not_opened_for_another_office() {
    let stage = Stage::set().unwrap();
    let played = stage.scripted(async |world| {
        let before = a_backup(world, KANDAL)?;
        let case = "4e9d5c3a-af8b-4e3b-9c88-9a4f5b6c7d8e".to_owned();
        ask_at(world, KANDAL_OFFICE, &Ask::Register { case: case.clone(), number: 0 }).await?;
        world.heal().await?;
        restore(world, KANDAL, &before).await?;
        world.heal().await?;
        ask_at(world, KANDAL_OFFICE + 1, &Ask::Register { case: case.clone(), number: 1 }).await?;
        world.heal().await?;
        let up = world.nodes[KANDAL].up().expect("it is up");
        for (office, held) in [(KANDAL_OFFICE, 1), (KANDAL_OFFICE + 1, 0)] {
            assert_eq!(Staff::at(up, office).held().await?.len(), held, "office {office}");
        }
        let dead = world.nodes[KANDAL].post(Service::Referral).expect("it is up").dead_letters(10, 0).await?;
        assert_eq!(dead.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(), ["OPENED_ELSEWHERE"]);
        Ok(())
    });
    played.unwrap();
}

/// Offers that an office had made come back to it from those whom it asked; that it had opened the case knows nobody else, when
/// the registry is of its own node. Whoever registers the person again under the same id may go on.
#[test]
fn a_case_of_which_only_offers_came_back_is_opened_again_when_it_is_registered_again() {
    let stage = Stage::set().unwrap();
    let played = stage.scripted(async |world| {
        let before = a_backup(world, MOSVY)?;
        let case = an_opened_case(world).await?;
        let offer = "8a5f7c1e-40cf-4d3b-9d6c-0f8a1b2c3d4e".to_owned();
        let ask = Ask::Offer { offer, case: case.clone(), to: KANDAL_OFFICE, kind: OfferKind::Service };
        ask_at(world, MOSVY_OFFICE, &ask).await?;
        round(world, MOSVY, PostRound::Send).await?;
        bring(world, KANDAL).await?;
        restore(world, MOSVY, &before).await?;
        world.heal().await?;
        let held = async |world: &World| {
            anyhow::Ok(Staff::at(world.nodes[MOSVY].up().expect("it is up"), MOSVY_OFFICE).held().await?.len())
        };
        assert_eq!(held(world).await?, 0, "what its backup does not have and nobody was told");
        assert_eq!(an_opened_case(world).await?, case);
        assert_eq!(held(world).await?, 1);
        world.all_is_well().await
    });
    played.unwrap();
}

/// A clock that was an hour ahead, and is right again, leaves times behind that have not come yet.
#[test]
fn letters_from_when_the_clock_was_ahead_leave_at_once_and_are_sent_again_when_they_are_lost() {
    let stage = Stage::set().unwrap();
    let played = stage.scripted(async |world| {
        let case = an_opened_case(world).await?;
        let offers = ["8a5f7c1e-40cf-4d3b-9d6c-0f8a1b2c3d4e", "9b6a8d2f-51d0-4e4c-8e7d-1a9b2c3d4e5f"];
        world.nodes[MOSVY].move_clock(HOUR);
        for (to, (offer, is_sent)) in (KANDAL_OFFICE..).zip(offers.into_iter().zip([true, false])) {
            let (offer, case) = (offer.to_owned(), case.clone());
            let ask = Ask::Offer { offer, case, to, kind: OfferKind::Service };
            ask_at(world, MOSVY_OFFICE, &ask).await?;
            if is_sent {
                round(world, MOSVY, PostRound::Send).await?;
                world.broker.wipe(KANDAL);
            }
        }
        world.nodes[MOSVY].move_clock(-HOUR);
        round(world, MOSVY, PostRound::Send).await?;
        assert_eq!(letters(world, KANDAL), 2, "the one that was lost, and the one that had not left");
        round(world, MOSVY, PostRound::Send).await?;
        assert_eq!(letters(world, KANDAL), 2, "each once");
        world.heal().await?;
        world.all_is_well().await
    });
    played.unwrap();
}

/// Whoever is slow must not find a second copy of what it has not read yet, and a third of that: reading those takes as
/// long as reading the first.
#[test]
fn a_desk_that_works_through_its_mail_slowly_is_not_sent_it_again() {
    let stage = Stage::set().unwrap();
    let played = stage.scripted(async |world| {
        let case = an_opened_case(world).await?;
        for number in 0..5_u8 {
            let offer = uuid::Uuid::from_bytes([number | 0x40; 16]).to_string();
            let (case, to) = (case.clone(), KANDAL_OFFICE);
            let ask = Ask::Offer { offer: offer.clone(), case, to, kind: OfferKind::Service };
            for ask in [ask, Ask::Withdraw { offer }] {
                ask_at(world, MOSVY_OFFICE, &ask).await?;
                // One by one, so that they lie in their order.
                round(world, MOSVY, PostRound::Send).await?;
            }
        }
        let mut waiting = letters(world, KANDAL);
        assert_eq!(waiting, 10, "offers and withdrawals");
        while waiting > 0 {
            world.nodes.iter().for_each(|node| node.move_clock(10 * SECOND));
            bring_one(world, KANDAL).await?;
            round(world, KANDAL, PostRound::Receipts).await?;
            bring(world, MOSVY).await?;
            round(world, MOSVY, PostRound::Send).await?;
            waiting -= 1;
            assert_eq!(letters(world, KANDAL), waiting, "one less each time");
        }
        world.heal().await?;
        world.all_is_well().await
    });
    played.unwrap();
}

/// A case of the ministry, with a consent, which its desk knows.
async fn an_opened_case(world: &mut World) -> anyhow::Result<String> {
    let case = "1b6a2f0d-7c58-4b0e-8f55-6d1c2e3f4a5b".to_owned();
    ask_at(world, MOSVY_OFFICE, &Ask::Register { case: case.clone(), number: 0 }).await?;
    let consent = "2c7b3a1e-8d69-4c1f-9a66-7e2d3f4a5b6c".to_owned();
    ask_at(world, MOSVY_OFFICE, &Ask::Consent { case: case.clone(), consent }).await?;
    world.heal().await?;
    Ok(case)
}

async fn ask_at(world: &World, office: usize, ask: &Ask) -> anyhow::Result<()> {
    let up = world.nodes[crate::network::OFFICES[office].1].up().expect("all nodes are up");
    Ok(Staff::at(up, office).ask(ask, &spean_chassis::mint::<kind::Command>().to_string()).await?)
}

fn a_backup(world: &World, node: usize) -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir_in(&world.nodes[node].ground().folder)?;
    world.nodes[node].disk().copy_data_to(folder.path())?;
    Ok(folder)
}

/// With marks that say so, as `spean node restore` leaves them.
async fn restore(world: &mut World, node: usize, backup: &tempfile::TempDir) -> anyhow::Result<()> {
    let Disk { keys, .. } = world.nodes[node].disk().clone();
    for service in spean_chassis::every_service() {
        mark_as_restored(&keys.join(format!("{service}.mark")))?;
    }
    put_back(world, node, backup).await
}

/// As somebody does it who copies files.
async fn put_back(world: &mut World, node: usize, backup: &tempfile::TempDir) -> anyhow::Result<()> {
    world.nodes[node].put_databases(backup.path()).await?;
    world.nodes.iter().for_each(|node| node.move_clock(5 * SECOND));
    world.nodes[node].start().await
}

async fn round(world: &mut World, node: usize, round: PostRound) -> anyhow::Result<()> {
    world.nodes[node].post_round(Service::Referral, round).await?;
    world.broker.sort();
    Ok(())
}

/// Brings the desk of a node its mail from other desks, once; the rest stays. Tells what it was.
async fn bring(world: &mut World, node: usize) -> anyhow::Result<Vec<Mail>> {
    let mut brought = Vec::new();
    for _ in 0..world.broker.waiting(node) {
        let mail = world.broker.take(node, 0);
        if is_between_desks(&mail) && world.nodes[node].receive(&mail).await? {
            brought.push(mail);
        } else {
            world.broker.put_back(node, mail);
        }
    }
    world.broker.sort();
    Ok(brought)
}

/// Brings everybody what waits, once.
async fn bring_all(world: &mut World) -> anyhow::Result<()> {
    for node in 0..world.nodes.len() {
        for _ in 0..world.broker.waiting(node) {
            let mail = world.broker.take(node, 0);
            if !world.nodes[node].receive(&mail).await? {
                world.broker.put_back(node, mail);
            }
        }
    }
    world.broker.sort();
    Ok(())
}

/// Brings the desk of a node the first letter of another desk.
async fn bring_one(world: &mut World, node: usize) -> anyhow::Result<()> {
    let first = (0..world.broker.waiting(node)).find(|at| is_between_desks(&world.broker.look(node, *at)));
    let mail = world.broker.take(node, first.expect("a letter waits"));
    world.nodes[node].receive(&mail).await?;
    world.broker.sort();
    Ok(())
}

/// How many letters of other desks wait for the desk of a node.
fn letters(world: &World, node: usize) -> usize {
    (0..world.broker.waiting(node)).filter(|at| is_between_desks(&world.broker.look(node, *at))).count()
}

fn is_between_desks(mail: &Mail) -> bool {
    mail.subject.ends_with(".referral.referral")
}

async fn is_awaited(world: &World, node: usize, peer: usize) -> anyhow::Result<bool> {
    let post = world.nodes[node].post(Service::Referral).expect("the node is up");
    let peer = crate::network::node_id(peer);
    Ok(post.awaited().await?.iter().any(|awaited| awaited.node == peer))
}
