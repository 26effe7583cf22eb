//! The agency's policy: read from its file at start, written into the log of each service when it changed, and shown to
//! whoever asks.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use spean_contracts::policy::v1 as wire;
use spean_contracts::policy::v1::policy_service_server::PolicyService;
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata};
use spean_policy::{Adopted, Command, Policy, STREAM};
use spean_vocabulary::Timestamp;
use tonic::{Request, Response, Status};

use crate::gate::Gate;
use crate::node::Node;
use crate::words::instant;
use crate::{field, status};

/// The policies that a service has worked by. Cheap to clone; they change at a start only.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    adopted: Arc<Adopted>,
}

impl Policies {
    /// The policy that was in force at an instant, by which what was decided then is judged.
    pub fn on(&self, at: Timestamp) -> Arc<Policy> {
        self.adopted.on(at).policy
    }

    /// The policy in force.
    pub fn current(&self) -> Arc<Policy> {
        self.adopted.current().policy
    }
}

impl Node {
    /// The policies of a service, from its log.
    pub async fn policies(&self, store: &EventStore) -> anyhow::Result<Policies> {
        let adopted = store.load::<Adopted>(STREAM).await.context("the policies of the log")?;
        Ok(Policies { adopted: Arc::new(adopted.state) })
    }

    /// Writes the policy of the file into a log, when it is not the one that was written there last.
    pub(crate) async fn adopt_policy(&self, store: &EventStore) -> anyhow::Result<()> {
        let directory = self.directory.current();
        // A file is nobody's decision in particular: it stands under the first office of the node.
        let office = directory.offices_of(&self.id).map(|office| &office.id).min().unwrap_or(&directory.authority);
        let context = Context { office: office.clone(), staff: None, now: self.clock.now() };
        let metadata = Metadata::of(&context);
        let command = Command::Adopt(self.policy.as_ref().clone());
        let handled = store.handle::<Adopted>(STREAM, command, context, metadata).await.context("the policy")?;
        if !handled.events.is_empty() {
            tracing::info!(version = handled.version, digest = self.policy.digest(), "another policy is in force");
        }
        Ok(())
    }
}

/// Reads the policy of a file; the standard when there is none.
pub(crate) async fn read(file: Option<&Path>) -> anyhow::Result<Policy> {
    let Some(file) = file else { return Ok(Policy::standard()) };
    let text = tokio::fs::read_to_string(file).await;
    let text = text.with_context(|| format!("the policy in {}", file.display()))?;
    Policy::from_toml(&text).with_context(|| format!("the policy in {}", file.display()))
}

/// Shows the policy over gRPC, as the first service of the node has it in its log. All of them read the same file.
pub(crate) struct Grpc {
    pub(crate) gate: Gate,
    pub(crate) store: EventStore,
}

#[tonic::async_trait]
impl PolicyService for Grpc {
    async fn get_policy(
        &self,
        request: Request<wire::GetPolicyRequest>,
    ) -> Result<Response<wire::GetPolicyResponse>, Status> {
        let (call, request) = self.gate.open("GetPolicy", request)?;
        let on = field::day_so_far("on", &request.on, call.today())?;
        let adopted = self.store.load::<Adopted>(STREAM).await.map_err(|error| status::store(&error))?;
        let adoption = adopted.state.at_end_of(on);
        let figures = adoption.policy.figures().into_iter().map(|(name, number)| wire::Figure { name, number });
        Ok(Response::new(wire::GetPolicyResponse {
            version: adoption.version,
            digest: adoption.digest,
            adopted_at: adoption.adopted_at.map(instant),
            figures: figures.collect(),
        }))
    }
}
