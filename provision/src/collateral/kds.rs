//! AMD's Key Distribution Service (AMD 57230 section 4): VCEKs, the intermediates above them, revocation lists.

use super::{
    FetchError, Fetcher, VekNeed,
    answer::{Answer, Request, certificates},
};
use attestation::{
    CollateralBundle, Window,
    collateral::{ItemKind, SnpCollateral},
    snp::{Product, SigningKey, TcbVersion},
};

const MAX_CERTIFICATE_BYTES: usize = 8 * 1024;
/// Two certificates, PEM.
const MAX_CHAIN_BYTES: usize = 32 * 1024;
const MAX_CRL_BYTES: usize = 512 * 1024;

/// The VCEK (a VLEK is its provider's to hand out), its intermediate, and the root's revocation list.
pub(super) async fn fetch(
    fetcher: &Fetcher,
    need: &VekNeed,
) -> Result<CollateralBundle, FetchError> {
    let product = need.product;
    let mut found = SnpCollateral::default();
    if let Some((hwid, tcb)) = &need.vcek {
        let vcek = fetcher.get(vcek(fetcher, product, hwid, tcb)).await?;
        found.certificates.push(vcek.body.clone());
    }
    let chain = fetcher.get(chain(fetcher, product, need.kind)).await?;
    found.certificates.extend(intermediate(&chain));
    let crl = fetcher.get(crl(fetcher, product, need.kind)).await?;
    found.crls.push(crl.body.clone());
    Ok(CollateralBundle {
        snp: found,
        ..CollateralBundle::default()
    })
}

fn vcek(fetcher: &Fetcher, product: Product, hwid: &[u8], tcb: &TcbVersion) -> Request {
    let TcbVersion {
        fmc,
        bootloader,
        tee,
        snp,
        microcode,
    } = tcb;
    let fmc = fmc
        .map(|fmc| format!("fmcSPL={fmc:02}&"))
        .unwrap_or_default();
    let hwid = hex::encode(hwid);
    let path = format!(
        "/vcek/v1/{product}/{hwid}?{fmc}blSPL={bootloader:02}&teeSPL={tee:02}&snpSPL={snp:02}&ucodeSPL={microcode:02}"
    );
    get(
        fetcher,
        &path,
        MAX_CERTIFICATE_BYTES,
        "certificate",
        |answer| ItemKind::SnpCertificate.window_of(&answer.body),
    )
}

fn chain(fetcher: &Fetcher, product: Product, kind: SigningKey) -> Request {
    let path = format!("/{}/v1/{product}/cert_chain", of_kind(kind));
    get(
        fetcher,
        &path,
        MAX_CHAIN_BYTES,
        "certificate chain",
        |answer| ItemKind::SnpCertificate.window_of(&intermediate(answer)?),
    )
}

fn crl(fetcher: &Fetcher, product: Product, kind: SigningKey) -> Request {
    let path = format!("/{}/v1/{product}/crl", of_kind(kind));
    get(fetcher, &path, MAX_CRL_BYTES, "revocation list", |answer| {
        ItemKind::SnpCrl.window_of(&answer.body)
    })
}

fn get(
    fetcher: &Fetcher,
    path: &str,
    max_bytes: usize,
    what: &'static str,
    window: fn(&Answer) -> Option<Window>,
) -> Request {
    Request {
        url: fetcher.sources().kds.at(path),
        post: None,
        chain_header: None,
        max_bytes,
        what,
        window,
    }
}

const fn of_kind(kind: SigningKey) -> &'static str {
    match kind {
        SigningKey::Vcek => "vcek",
        SigningKey::Vlek => "vlek",
    }
}

/// The ASK or ASVK, which stands first. The root behind it is pinned in the verifier.
fn intermediate(answer: &Answer) -> Option<Vec<u8>> {
    certificates(&answer.body)?.into_iter().next()
}
