//! What is declared of an office, between its protobuf and its Rust form.

use spean_chassis::words::{instant, read_instant};
use spean_chassis::{field, status};
use spean_contracts::directory::v1 as wire;
use spean_contracts::directory::v1::{OfficeStatus, OfficeStatusReason};
use spean_vocabulary::{OfficeId, Timestamp};
use tonic::Status as Refusal;

use crate::office::{Declaration, Reason, Said, Status};

/// Reads what somebody says of an office in a request.
pub(crate) fn read(request: &wire::DeclareOfficeStatusRequest) -> Result<(OfficeId, Said), Refusal> {
    let said = Said {
        status: read_status("status", request.status)?,
        stand_in: field::parse_optional("stand_in_office_id", &request.stand_in_office_id)?,
        from_day: field::parse_optional("from_day", &request.from_day)?,
        until_day: field::parse_optional("until_day", &request.until_day)?,
        reason: read_reason("reason", request.reason)?,
    };
    Ok((field::parse("office_id", &request.office_id)?, said))
}

/// Reads what another node declared.
pub(crate) fn read_told(told: &wire::OfficeStatusDeclared, now: Timestamp) -> Result<(OfficeId, Declaration), Refusal> {
    let declared_at = field::required("declared_at", told.declared_at)?;
    let declaration = Declaration {
        declared_by: field::parse("declared_by_office_id", &told.declared_by_office_id)?,
        version: told.version,
        status: read_status("status", told.status)?,
        stand_in: field::parse_optional("stand_in_office_id", &told.stand_in_office_id)?,
        from_day: field::parse("from_day", &told.from_day)?,
        until_day: field::parse_optional("until_day", &told.until_day)?,
        reason: read_reason("reason", told.reason)?,
        declared_at: read_instant("declared_at", &declared_at, now)?,
    };
    Ok((field::parse("office_id", &told.office_id)?, declaration))
}

/// What the other nodes are told.
pub(crate) fn write(office: &str, declaration: &Declaration) -> wire::OfficeStatusDeclared {
    wire::OfficeStatusDeclared {
        office_id: office.to_owned(),
        declared_by_office_id: declaration.declared_by.to_string(),
        status: write_status(declaration.status).into(),
        stand_in_office_id: declaration.stand_in.as_ref().map(ToString::to_string).unwrap_or_default(),
        from_day: declaration.from_day.to_string(),
        until_day: declaration.until_day.map(|day| day.to_string()).unwrap_or_default(),
        reason: write_reason(declaration.reason).into(),
        version: declaration.version,
        declared_at: Some(instant(declaration.declared_at)),
    }
}

pub(crate) const fn write_status(status: Status) -> OfficeStatus {
    match status {
        Status::Open => OfficeStatus::Open,
        Status::Unstaffed => OfficeStatus::Unstaffed,
        Status::Closed => OfficeStatus::Closed,
    }
}

fn read_status(path: &str, value: i32) -> Result<Status, Refusal> {
    match OfficeStatus::try_from(value) {
        Ok(OfficeStatus::Open) => Ok(Status::Open),
        Ok(OfficeStatus::Unstaffed) => Ok(Status::Unstaffed),
        Ok(OfficeStatus::Closed) => Ok(Status::Closed),
        _ => Err(status::invalid(path, "one of the values of OfficeStatus, not the unspecified one")),
    }
}

pub(crate) const fn write_reason(reason: Reason) -> OfficeStatusReason {
    match reason {
        Reason::StaffAway => OfficeStatusReason::StaffAway,
        Reason::PostVacant => OfficeStatusReason::PostVacant,
        Reason::Emergency => OfficeStatusReason::Emergency,
        Reason::NoMeans => OfficeStatusReason::NoMeans,
        Reason::Moving => OfficeStatusReason::Moving,
        Reason::StaffBack => OfficeStatusReason::StaffBack,
        Reason::Other => OfficeStatusReason::Other,
    }
}

fn read_reason(path: &str, value: i32) -> Result<Reason, Refusal> {
    match OfficeStatusReason::try_from(value) {
        Ok(OfficeStatusReason::StaffAway) => Ok(Reason::StaffAway),
        Ok(OfficeStatusReason::PostVacant) => Ok(Reason::PostVacant),
        Ok(OfficeStatusReason::Emergency) => Ok(Reason::Emergency),
        Ok(OfficeStatusReason::NoMeans) => Ok(Reason::NoMeans),
        Ok(OfficeStatusReason::Moving) => Ok(Reason::Moving),
        Ok(OfficeStatusReason::StaffBack) => Ok(Reason::StaffBack),
        Ok(OfficeStatusReason::Other) => Ok(Reason::Other),
        _ => Err(status::invalid(path, "one of the values of OfficeStatusReason, not the unspecified one")),
    }
}
