//! What the stories across the network stand on: the built program, a running network, and desks to work at.
//!
//! Everything goes through real processes and the public gRPC interface. For tests only, so it panics with a message
//! for the reader instead of returning errors.

mod casework;
mod desk;
mod network;
mod program;
mod search;

pub use casework::{Canary, Handoff, hand_over, holders, invented, one_holder, open_case, settled, status, status_of};
pub use desk::{Desk, PATIENCE};
pub use network::{
    Network, SecondInstance, copy_folder, network, network_built, network_observed_by, network_of, network_on_postgres,
    turn,
};
pub use program::spean_program;
pub use search::{Files, keep_what_lies_at_the_hub};
