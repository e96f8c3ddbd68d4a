//! The fields that every event may have: what they are called, where they stand, what kind of value belongs in them.
//!
//! This is the only list of them. Decoders put a value's place under its slot, evaluation asks for slots.

/// A field of an event, or of one of the four small maps in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Slot {
    Kind,
    ApiVersion,
    Level,
    AuditId,
    Stage,
    RequestUri,
    Verb,
    User,
    ImpersonatedUser,
    SourceIps,
    UserAgent,
    ObjectRef,
    ResponseStatus,
    RequestObject,
    ResponseObject,
    RequestReceived,
    StageTimestamp,
    Annotations,
    Username,
    UserUid,
    UserGroups,
    UserExtra,
    ImpersonatedUsername,
    ImpersonatedUid,
    ImpersonatedGroups,
    ImpersonatedExtra,
    Resource,
    Namespace,
    Name,
    ObjectUid,
    ApiGroup,
    ObjectApiVersion,
    ResourceVersion,
    Subresource,
    StatusMetadata,
    Status,
    Message,
    StatusReason,
    Details,
    Code,
}

pub(super) const SLOTS: usize = Slot::Code as usize + 1;

/// What a line's decoders take in a slot, besides `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A text; its place is what stands between the quotes.
    Text,
    /// Anything else; its place is all of it.
    Json,
}

impl Slot {
    /// All of them, in order.
    #[cfg(any(test, feature = "compare-decoders"))]
    pub(super) const ALL: [Self; SLOTS] = [
        Self::Kind,
        Self::ApiVersion,
        Self::Level,
        Self::AuditId,
        Self::Stage,
        Self::RequestUri,
        Self::Verb,
        Self::User,
        Self::ImpersonatedUser,
        Self::SourceIps,
        Self::UserAgent,
        Self::ObjectRef,
        Self::ResponseStatus,
        Self::RequestObject,
        Self::ResponseObject,
        Self::RequestReceived,
        Self::StageTimestamp,
        Self::Annotations,
        Self::Username,
        Self::UserUid,
        Self::UserGroups,
        Self::UserExtra,
        Self::ImpersonatedUsername,
        Self::ImpersonatedUid,
        Self::ImpersonatedGroups,
        Self::ImpersonatedExtra,
        Self::Resource,
        Self::Namespace,
        Self::Name,
        Self::ObjectUid,
        Self::ApiGroup,
        Self::ObjectApiVersion,
        Self::ResourceVersion,
        Self::Subresource,
        Self::StatusMetadata,
        Self::Status,
        Self::Message,
        Self::StatusReason,
        Self::Details,
        Self::Code,
    ];

    /// The maps whose parts have slots of their own.
    pub(super) const MAPS: [Self; 4] =
        [Self::User, Self::ImpersonatedUser, Self::ObjectRef, Self::ResponseStatus];

    pub(super) const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// The map whose part this is.
    pub(crate) fn map(self) -> Option<Self> {
        Self::MAPS.into_iter().find(|map| map.parts() & self.bit() != 0)
    }

    /// The slots of the parts of the map in this slot, as bits.
    pub(super) const fn parts(self) -> u64 {
        let (first, last) = match self {
            Self::User => (Self::Username, Self::UserExtra),
            Self::ImpersonatedUser => (Self::ImpersonatedUsername, Self::ImpersonatedExtra),
            Self::ObjectRef => (Self::Resource, Self::Subresource),
            Self::ResponseStatus => (Self::StatusMetadata, Self::Code),
            _ => return 0,
        };
        (last.bit() << 1) - first.bit()
    }

    pub(super) const fn shape(self) -> Shape {
        match self {
            Self::User
            | Self::ImpersonatedUser
            | Self::SourceIps
            | Self::ObjectRef
            | Self::ResponseStatus
            | Self::RequestObject
            | Self::ResponseObject
            | Self::Annotations
            | Self::UserGroups
            | Self::UserExtra
            | Self::ImpersonatedGroups
            | Self::ImpersonatedExtra
            | Self::StatusMetadata
            | Self::Details
            | Self::Code => Shape::Json,
            _ => Shape::Text,
        }
    }

    /// The slot of a key of the event itself.
    pub(crate) fn of_event(key: &str) -> Option<Self> {
        Some(match key {
            "kind" => Self::Kind,
            "apiVersion" => Self::ApiVersion,
            "level" => Self::Level,
            "auditID" => Self::AuditId,
            "stage" => Self::Stage,
            "requestURI" => Self::RequestUri,
            "verb" => Self::Verb,
            "user" => Self::User,
            "impersonatedUser" => Self::ImpersonatedUser,
            "sourceIPs" => Self::SourceIps,
            "userAgent" => Self::UserAgent,
            "objectRef" => Self::ObjectRef,
            "responseStatus" => Self::ResponseStatus,
            "requestObject" => Self::RequestObject,
            "responseObject" => Self::ResponseObject,
            "requestReceivedTimestamp" => Self::RequestReceived,
            "stageTimestamp" => Self::StageTimestamp,
            "annotations" => Self::Annotations,
            _ => return None,
        })
    }

    /// The slot of a key of the map in this slot.
    pub(crate) fn part(self, key: &str) -> Option<Self> {
        Some(match (self, key) {
            (Self::User, "username") => Self::Username,
            (Self::User, "uid") => Self::UserUid,
            (Self::User, "groups") => Self::UserGroups,
            (Self::User, "extra") => Self::UserExtra,
            (Self::ImpersonatedUser, "username") => Self::ImpersonatedUsername,
            (Self::ImpersonatedUser, "uid") => Self::ImpersonatedUid,
            (Self::ImpersonatedUser, "groups") => Self::ImpersonatedGroups,
            (Self::ImpersonatedUser, "extra") => Self::ImpersonatedExtra,
            (Self::ObjectRef, "resource") => Self::Resource,
            (Self::ObjectRef, "namespace") => Self::Namespace,
            (Self::ObjectRef, "name") => Self::Name,
            (Self::ObjectRef, "uid") => Self::ObjectUid,
            (Self::ObjectRef, "apiGroup") => Self::ApiGroup,
            (Self::ObjectRef, "apiVersion") => Self::ObjectApiVersion,
            (Self::ObjectRef, "resourceVersion") => Self::ResourceVersion,
            (Self::ObjectRef, "subresource") => Self::Subresource,
            (Self::ResponseStatus, "metadata") => Self::StatusMetadata,
            (Self::ResponseStatus, "status") => Self::Status,
            (Self::ResponseStatus, "message") => Self::Message,
            (Self::ResponseStatus, "reason") => Self::StatusReason,
            (Self::ResponseStatus, "details") => Self::Details,
            (Self::ResponseStatus, "code") => Self::Code,
            _ => return None,
        })
    }
}
