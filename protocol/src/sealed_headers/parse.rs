//! Sealed headers to and from field lines: each exactly once, nothing of ours unknown.

use super::*;
use crate::bhttp;

/// Field lines in the order of docs/protocol.md.
pub(crate) type Lines = Vec<(&'static str, String)>;

impl SealedHeaders {
    /// The field lines of a request for `method` and `path`; an error names the header that its reader would refuse.
    pub(crate) fn to_lines(&self, method: &str, path: &str) -> Result<Lines, &'static str> {
        let lines = self.lines();
        let fields = lines.iter();
        let fields = fields.map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes()));
        Self::from_fields(method, path, &fields.collect())?;
        Ok(lines)
    }

    fn lines(&self) -> Lines {
        let mut lines = vec![
            (BINDING, hex(&self.binding_id.0)),
            (POLICY_VERSION, self.policy_version.to_string()),
            (POLICY_DIGEST, hex(&self.policy_digest)),
            (CLIENT_POLICY, hex(&self.client_policy)),
            (REQUEST_ID, hex(&self.request_id)),
            (ISSUED_AT, self.issued_at.0.to_string()),
            (NODE, self.node.clone()),
        ];
        lines.extend(self.model.clone().map(|model| (MODEL, model)));
        lines.extend(self.residency.clone().map(|country| (RESIDENCY, country)));
        lines.extend(self.tenant.map(|tenant| (TENANT, tenant.to_text())));
        let secret = self.cache_secret.as_ref();
        lines.extend(secret.map(|secret| (CACHE_SECRET, hex(secret.as_bytes()))));
        lines
    }

    /// Reads the headers of a request for `method` and `path`; an error names the header that is absent, doubled, malformed or unknown.
    pub(crate) fn from_fields(
        method: &str,
        path: &str,
        fields: &bhttp::Fields,
    ) -> Result<Self, &'static str> {
        // R6.5
        let lines = FieldLines(fields);
        lines.refuse_unknown()?;
        let headers = Self {
            binding_id: BindingId(lines.required(BINDING, from_hex)?),
            policy_version: lines.required(POLICY_VERSION, decimal)?,
            policy_digest: lines.required(POLICY_DIGEST, from_hex)?,
            client_policy: lines.required(CLIENT_POLICY, from_hex)?,
            request_id: lines.required(REQUEST_ID, from_hex)?,
            issued_at: UnixTime(lines.required(ISSUED_AT, decimal)?),
            node: lines.required(NODE, |text| owned(text, is_node))?,
            model: lines.optional(MODEL, |text| owned(text, |text| !text.is_empty()))?,
            residency: lines.optional(RESIDENCY, |text| owned(text, is_country))?,
            tenant: lines.optional(TENANT, TenantCredential::parse)?,
            cache_secret: lines
                .optional(CACHE_SECRET, from_hex)?
                .map(CacheSecret::from_bytes),
        };
        if has_model(method, path) == headers.model.is_some() {
            Ok(headers)
        } else {
            Err(MODEL)
        }
    }
}

/// Whether requests for `method` and `path` name a model: all but the list of models and receipts.
fn has_model(method: &str, path: &str) -> bool {
    let names_none = path == MODELS_PATH || path.starts_with(RECEIPTS_PREFIX);
    method != "GET" || !names_none
}

const KNOWN: [&str; 11] = [
    BINDING,
    POLICY_VERSION,
    POLICY_DIGEST,
    CLIENT_POLICY,
    REQUEST_ID,
    ISSUED_AT,
    NODE,
    MODEL,
    RESIDENCY,
    TENANT,
    CACHE_SECRET,
];

/// The field lines of a header section.
pub(crate) struct FieldLines<'a>(pub(crate) &'a bhttp::Fields);

impl FieldLines<'_> {
    /// Headers of ours that this version does not know could be demands: refused.
    fn refuse_unknown(&self) -> Result<(), &'static str> {
        let ours = |name: &str| name.starts_with("narthex-");
        match self
            .0
            .iter()
            .all(|(name, _)| !ours(name) || KNOWN.contains(&name.as_str()))
        {
            true => Ok(()),
            false => Err("narthex-*"),
        }
    }

    /// The one line called `name`, read by `read`.
    fn required<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, &'static str> {
        self.optional(name, read)?.ok_or(name)
    }

    /// At most one line called `name`, read by `read`; an error if it is doubled or does not read.
    pub(crate) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, &'static str> {
        let mut found = self.0.iter().filter(|(line, _)| line == name);
        let Some((_, value)) = found.next() else {
            return Ok(None);
        };
        let text = str::from_utf8(value).map_err(|_| name)?;
        match (read(text), found.next()) {
            (Some(value), None) => Ok(Some(value)),
            _ => Err(name),
        }
    }
}

fn owned(text: &str, valid: impl FnOnce(&str) -> bool) -> Option<String> {
    valid(text).then(|| text.to_owned())
}

/// Decimal without sign or leading zeros.
fn decimal(text: &str) -> Option<u64> {
    let value: u64 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `N` bytes in lower-case hexadecimal.
fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    odd.is_empty().then_some(())?;
    bytes.try_into().ok()
}
