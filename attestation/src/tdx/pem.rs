//! Certificate chains as Intel writes them: PEM of one form only (RFC 7468 section 3, "strict").
//!
//! Every byte counts: what another writer would leave out or break differently is refused, so that a chain has one spelling.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// More than a PCK chain takes.
const MAX_CHAIN_BYTES: usize = 32 * 1024;
const MAX_CERTIFICATES: usize = 4;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
const LINE_CHARACTERS: usize = 64;

/// The certificates of `pem`, DER, in their order. One NUL at the end is left out: Intel's quoting library counts it in.
pub(super) fn certificates(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    if pem.len() > MAX_CHAIN_BYTES {
        return None;
    }
    let text = str::from_utf8(pem.strip_suffix(b"\0").unwrap_or(pem)).ok()?;
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line != BEGIN || found.len() == MAX_CERTIFICATES {
            return None;
        }
        found.push(block(&mut lines)?);
    }
    (!found.is_empty()).then_some(found)
}

/// What [`certificates`] reads.
pub(super) fn text(chain: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for der in chain {
        let base64 = STANDARD.encode(der);
        let mut rest = base64.as_str();
        text.extend([BEGIN, "\n"]);
        while !rest.is_empty() {
            let (line, tail) = rest.split_at(rest.len().min(LINE_CHARACTERS));
            text.extend([line, "\n"]);
            rest = tail;
        }
        text.extend([END, "\n"]);
    }
    text
}

/// One certificate up to and with its last line: full lines of base64, the last one shorter or full.
fn block<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Option<Vec<u8>> {
    let mut base64 = String::new();
    for line in lines {
        if line == END {
            return STANDARD.decode(base64).ok();
        }
        let follows_full = base64.len().is_multiple_of(LINE_CHARACTERS);
        if !follows_full || line.is_empty() || line.len() > LINE_CHARACTERS {
            return None;
        }
        base64.push_str(line);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{certificates, text};

    const ONE: &str = "-----BEGIN CERTIFICATE-----\nAAECAw==\n-----END CERTIFICATE-----\n";

    #[test]
    fn one_or_more_with_or_without_the_last_line_end() {
        let one = vec![vec![0, 1, 2, 3]];
        assert_eq!(certificates(ONE.as_bytes()), Some(one.clone()));
        assert_eq!(certificates(ONE.trim_end().as_bytes()), Some(one.clone()));
        assert_eq!(
            certificates(format!("{ONE}\0").as_bytes()),
            Some(one.clone())
        );
        assert_eq!(
            certificates(format!("{ONE}{ONE}").as_bytes()),
            Some([one.clone(), one].concat())
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let chain: Vec<_> = [1, 47, 48, 49, 1000].map(|length| vec![7; length]).to_vec();
        for chain in [&chain[..4], &chain[4..]] {
            assert_eq!(certificates(text(chain).as_bytes()).as_deref(), Some(chain));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        let wide = "A".repeat(68);
        let cases = [
            String::new(),
            "\n".into(),
            format!("\n{ONE}"),
            format!("{ONE}\n{ONE}"),
            format!("{ONE}\0\0"),
            ONE.repeat(5),
            ONE.replace('\n', "\r\n"),
            ONE.replace("AAECAw==", "AAEC\nAw=="),
            ONE.replace("AAECAw==", &wide),
            ONE.replace("AAECAw==", "AAECAx=="),
            ONE.replace("AAECAw==", "AAECAw"),
            ONE.replace("AAECAw==\n", "AAECAw==\n\n"),
            ONE.replace("BEGIN", "BEGUN"),
            ONE.replace("-----END CERTIFICATE-----\n", ""),
            "A".repeat(40_000),
        ];
        for case in cases {
            assert_eq!(certificates(case.as_bytes()), None, "{case:?}");
        }
    }
}
