//! The subject of a certificate signing request: base64 of PEM of PKCS#10.
//!
//! What cannot be read has no subject. Nothing is verified: a rule asks what was asked for.

use base64::Engine as _;
use x509_parser::prelude::FromDer as _;

use super::functions::BASE64;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Subject {
    pub(super) common_name: Option<String>,
    pub(super) organizations: Vec<String>,
}

pub(super) fn subject(text: &str) -> Option<Subject> {
    let pem = BASE64.decode(text).ok()?;
    let pem = std::str::from_utf8(&pem).ok()?;
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE REQUEST-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE REQUEST-----")?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let der = BASE64.decode(body).ok()?;
    let (_, request) = x509_parser::certification_request::X509CertificationRequest::from_der(&der).ok()?;
    let name = &request.certification_request_info.subject;
    let text =
        |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| attribute.as_str().ok().map(str::to_owned);
    Some(Subject {
        common_name: name.iter_common_name().find_map(text),
        organizations: name.iter_organization().filter_map(text).collect(),
    })
}
