//! The gate that every request passes: who calls, for which office, may they, and is it the same request as before.

use spean_eventsourcing::Context;
use spean_eventstore::{Digest, Metadata};
use spean_identity::{Access, Caller, Denied, LiveDirectory, Resource, Standing, TokenError, token};
use spean_messaging::trace::current_trace;
use spean_vocabulary::{CommandId, Date, NodeId, OfficeId, Timestamp};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use crate::clock::Clock;
use crate::status::{denied, invalid, not_found, unauthenticated};

/// Metadata key: the office that the caller acts for. May be left out by staff of one office.
const OFFICE: &str = "spean-office";
/// Metadata key: the caller's id of the request, kept for every retry of it.
const COMMAND_ID: &str = "spean-command-id";

/// Checks callers; one for each node, shared by its services.
#[derive(Clone, Debug)]
pub struct Gate {
    node: NodeId,
    directory: LiveDirectory,
    access: Access,
    clock: Clock,
}

/// A request whose caller was checked.
#[derive(Clone, Debug)]
pub struct Call {
    /// The RPC method.
    pub action: &'static str,
    /// Who calls.
    pub caller: Caller,
    /// The office that they act for; none for a request that concerns the node as a whole.
    office: Option<OfficeId>,
    /// When.
    pub now: Timestamp,
    command: Option<(CommandId, Digest)>,
    trace: Option<String>,
}

impl Gate {
    /// A gate for a node.
    pub fn new(node: NodeId, directory: LiveDirectory, clock: Clock) -> Self {
        Self { node, directory, access: Access::new(), clock }
    }

    /// Lets a request in, or says why not. What the caller's office has to do with the case in question is asked by
    /// [`Gate::permit`], once the service has looked it up.
    pub fn open<T: prost::Message>(&self, action: &'static str, request: Request<T>) -> Result<(Call, T), Status> {
        let (metadata, _, message) = request.into_parts();
        let now = self.clock.now();
        let directory = self.directory.current();
        let token = bearer(&metadata)?;
        let caller = token::verify(token, &self.node, &directory, now).map_err(refuse_token)?;
        let office = acting_office(&metadata, &caller)?;
        let command = match metadata.get(COMMAND_ID) {
            None => None,
            Some(id) => {
                let field = "metadata: spean-command-id";
                let id = id.to_str().ok().and_then(|id| id.parse().ok());
                let id = id.ok_or_else(|| invalid(field, "a UUID in its hyphenated form, not all zeros"))?;
                Some((id, Digest::of(&[action.as_bytes(), b"\0", &message.encode_to_vec()].concat())))
            }
        };
        let trace = current_trace();
        let call = Call { action, caller, office, now, command, trace };
        match self.decide(&call, None) {
            // What the office has to do with the case is not known yet; permit will ask again.
            Ok(()) | Err(Denied::Stranger) => Ok((call, message)),
            Err(Denied::NotYourOffice) => Err(no_office()),
            Err(_) => Err(denied()),
        }
    }

    /// Asks whether the caller may do it, given what their office has to do with the case. A stranger hears that there
    /// is no such thing.
    pub fn permit(&self, call: &Call, what: &'static str, standing: Standing) -> Result<(), Status> {
        self.decide(call, Some(standing)).map_err(|refusal| match refusal {
            Denied::Stranger => not_found(what),
            _ => denied(),
        })
    }

    fn decide(&self, call: &Call, standing: Option<Standing>) -> Result<(), Denied> {
        self.access.decide(&call.caller, call.action, &Resource { office: call.office.clone(), standing })
    }
}

impl Call {
    /// The office that the caller acts for.
    pub fn office(&self) -> Result<&OfficeId, Status> {
        self.office.as_ref().ok_or_else(no_office)
    }

    /// The circumstances for the rules.
    pub fn context(&self) -> Result<Context, Status> {
        let office = self.office()?.clone();
        Ok(Context { office, staff: Some(self.caller.staff.clone()), now: self.now })
    }

    /// What is stored with the events.
    pub fn metadata(&self) -> Result<Metadata, Status> {
        let metadata = Metadata::of(&self.context()?);
        let metadata = match self.command {
            Some((id, digest)) => metadata.with_command(id, digest),
            None => metadata,
        };
        Ok(Metadata { trace: self.trace.clone(), ..metadata })
    }

    /// Today in Cambodia.
    pub fn today(&self) -> Date {
        self.now.date_in_cambodia()
    }
}

fn no_office() -> Status {
    invalid("metadata: spean-office", "one of your offices, since you work at several")
}

fn bearer(metadata: &MetadataMap) -> Result<&str, Status> {
    let header = metadata.get("authorization").and_then(|header| header.to_str().ok());
    header
        .and_then(|header| header.strip_prefix("Bearer "))
        .ok_or_else(|| unauthenticated("NO_TOKEN", "metadata: authorization: expected Bearer and a staff token"))
}

fn refuse_token(error: TokenError) -> Status {
    let reason = match error {
        TokenError::Expired => "TOKEN_EXPIRED",
        TokenError::NotYet => "TOKEN_NOT_YET_VALID",
        _ => "TOKEN_NOT_VALID",
    };
    unauthenticated(reason, &error.to_string())
}

fn acting_office(metadata: &MetadataMap, caller: &Caller) -> Result<Option<OfficeId>, Status> {
    let Some(named) = metadata.get(OFFICE) else {
        return Ok(if caller.offices.len() == 1 { caller.offices.first().cloned() } else { None });
    };
    let office: Option<OfficeId> = named.to_str().ok().and_then(|named| named.parse().ok());
    let office = office.ok_or_else(|| invalid("metadata: spean-office", "the code of an office"))?;
    if caller.offices.contains(&office) { Ok(Some(office)) } else { Err(denied()) }
}
