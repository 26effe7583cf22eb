//! What every service stands on: configuration, the gate for callers, the clock, errors, pages, telemetry, the server.

mod clock;
mod configuration;
pub mod fact;
pub mod field;
mod gate;
mod load;
mod log;
mod metrics;
mod node;
mod page;
pub mod person;
mod policy;
mod post_offices;
pub mod standing;
pub mod status;
mod telemetry;
pub mod words;
mod work;

pub use clock::{Clock, draw_from_seed, mint, random};
pub use configuration::{BrokerSettings, Configuration, ConfigurationError, Telemetry, Tls, every_service};
pub use gate::{Call, Gate};
pub use load::Limits;
pub use log::Log;
pub use node::{LARGEST_REQUEST_BYTES, Node, Parts, Running, ServiceParts, Surroundings, run};
pub use page::Page;
pub use policy::Policies;
pub use post_offices::PostOffices;
pub use work::{Next, Round, When};
