//! The tables of a post office. They hold codes, numbers and messages without personal data; dossiers are sealed.

use spean_eventstore::Tables;

/// Outbox, inbox, links and recovery.
pub const TABLES: Tables = Tables {
    name: "post",
    steps: &["
        create table post_self (
            one bigint primary key check (one = 1),
            incarnation bigint not null,
            applied bigint not null
        );
        create table post_link (
            peer text primary key,
            state text not null,
            heard_at bigint
        );
        create table post_out (
            peer text not null,
            incarnation bigint not null,
            sequence bigint not null,
            kind text not null,
            case_id text not null,
            body blob not null,
            attachment text,
            trace text not null,
            posted_at bigint not null,
            attempt bigint not null,
            next_attempt_at bigint not null,
            published_at bigint,
            settled_at bigint,
            primary key (peer, incarnation, sequence)
        );
        create index post_out_due on post_out (next_attempt_at) where settled_at is null;
        create index post_out_open on post_out (peer, incarnation, sequence) where settled_at is null;
        create table post_in (
            peer text not null,
            incarnation bigint not null,
            sequence bigint not null,
            letter_id text not null unique,
            kind text not null,
            case_id text not null,
            digest blob not null,
            content blob not null,
            state text not null,
            reason text not null,
            attempts bigint not null,
            arrived_at bigint not null,
            settled_at bigint,
            primary key (peer, incarnation, sequence)
        );
        create index post_in_stuck on post_in (case_id, state) where state in ('dead', 'waiting');
        create table post_unreadable (
            id text primary key,
            subject text not null,
            raw blob not null,
            reason text not null,
            arrived_at bigint not null
        );
        create table post_recovery (
            peer text primary key,
            parts bigint not null,
            answered_at bigint
        );
        create table post_returned (
            peer text not null,
            part bigint not null,
            body blob not null,
            primary key (peer, part)
        );
    "],
};
