//! Safety pieces that tests take away, and faults that they make, in a program that was built with points for it
//! (`services/spean/src/points.rs`). In any other, what stands here is `false`.

/// Whether this piece is taken away, or this fault is to happen.
pub fn lacks(piece: &str) -> bool {
    let _ = piece;
    fail::fail_point!(piece, |_| true);
    false
}

/// The same, where it can be said for what: `sabotage::memory=return(offered,withdrawn)`. Without saying so, for all.
pub fn lacks_for(piece: &str, what: &str) -> bool {
    let _ = (piece, what);
    fail::fail_point!(piece, |list: Option<String>| list.is_none_or(|list| list.split(',').any(|one| one == what)));
    false
}
