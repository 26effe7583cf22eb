//! Rust generated from `proto/`: all that crosses a service boundary. Documentation stands in the `.proto` files.

/// Everything that is described, for reflection and for generic clients.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! packages {
    ($($name:ident)*) => { $(
        #[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used, reason = "generated")]
        pub mod $name {
            /// Version 1.
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/spean.", stringify!($name), ".v1.rs"));
            }
        }
    )* };
}

packages! { cases directory followup insight policy referral repatriation shelter vocabulary }
