//! `spean admin node`: settings of a node.

use clap::{Subcommand, ValueEnum};

/// Settings of a node.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Prints the settings of a node with every field explained.
    #[command(after_help = "Example:\n  spean admin node example-config --for office > /etc/spean/node.toml")]
    ExampleConfig {
        /// For what kind of place.
        #[arg(long = "for", value_enum, default_value_t = Place::Office)]
        place: Place,
    },
}

/// Where a node runs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Place {
    /// Everything on one machine, to try it out.
    Laptop,
    /// An office with a machine of its own, linked to the hub when there is a network.
    Office,
    /// A ministry: services apart, several of each, PostgreSQL and a cluster of brokers.
    Cluster,
}

impl NodeCommand {
    pub(super) fn run(self) {
        let Self::ExampleConfig { place } = self;
        print!("{}", example(place));
    }
}

const fn example(place: Place) -> &'static str {
    match place {
        Place::Laptop => include_str!("../../../../deploy/laptop/node.toml"),
        Place::Office => include_str!("../../../../deploy/office/node.toml"),
        Place::Cluster => include_str!("../../../../deploy/cluster/node.toml"),
    }
}

#[cfg(test)]
mod tests {
    use spean_chassis::Configuration;

    use super::*;

    #[test]
    fn every_example_can_be_used_as_it_is() {
        for place in Place::value_variants() {
            let configuration: Configuration = toml::from_str(example(*place)).expect("it can be read");
            configuration.check().expect("it is safe");
        }
    }
}
