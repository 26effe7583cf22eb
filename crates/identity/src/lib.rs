//! Who is who: the signed directory of the network.

mod directory;

pub use directory::{Agency, Defect, Directory, Node, Office, OfficeLevel, PublicKeys, Serving};
