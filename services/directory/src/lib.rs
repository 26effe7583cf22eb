//! The directory: the places of Cambodia by their official codes, and the help that offices have on offer.

pub mod gazetteer;
pub mod offering;
