//! Whether a certificate of a device or of a manifest is revoked, as far as the OCSP responses given tell.

use super::{Missing, NvidiaError, OcspSubject};
use crate::{
    UnixTime, Window,
    ocsp::{OcspError, Response},
    x509::Certificate,
};

/// OCSP responses that parse; nothing in them is authentic yet.
pub(super) struct Responses<'a>(Vec<Response<'a>>);

/// What the responses say of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Revocation {
    /// When every response used holds.
    pub(super) window: Window,
    /// The certificates that no response is about.
    pub(super) missing: Vec<Missing>,
}

impl<'a> Responses<'a> {
    pub(super) fn parse(ders: &'a [Vec<u8>]) -> Result<Self, NvidiaError> {
        let parse = |(index, der): (usize, &'a Vec<u8>)| {
            let response = Response::parse(der);
            response.map_err(|error| NvidiaError::Ocsp(OcspSubject::Response(index), error))
        };
        ders.iter()
            .enumerate()
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Judges every certificate of `path`, each issued by the next one, but the last, which is trusted as it is; and the first `skip` ones, which no responder knows.
    pub(super) fn check(
        &self,
        path: &[&Certificate<'_>],
        skip: usize,
        subject: impl Fn(usize) -> OcspSubject,
        now: UnixTime,
    ) -> Result<Revocation, NvidiaError> {
        let mut revocation = Revocation {
            window: Window::ALWAYS,
            missing: Vec::new(),
        };
        for (index, pair) in path.windows(2).enumerate().skip(skip) {
            let [certificate, issuer] = pair else {
                continue;
            };
            let told = self.status(certificate, issuer, now);
            match told.map_err(|error| NvidiaError::Ocsp(subject(index), error))? {
                Some(window) => revocation.window = revocation.window.meet(window),
                None => revocation.missing.push(Missing::Ocsp(subject(index))),
            }
        }
        Ok(revocation)
    }

    /// When every response about `certificate` holds, all of which must say that it is good; `None` if there is none.
    fn status(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        now: UnixTime,
    ) -> Result<Option<Window>, OcspError> {
        let about = self
            .0
            .iter()
            .filter(|one| one.is_about(certificate, issuer));
        about
            .map(|one| one.check(certificate, issuer, now))
            .try_fold(None, |known, status| {
                let window = known.unwrap_or(Window::ALWAYS);
                Ok(Some(window.meet(status?.window)))
            })
    }
}
