//! Names of verified values: SHA-256 over the roots and every byte that the verdict on them rests on.

use crate::{Digest, hash, nvidia, tdx};

/// Of a VEK with its chain and lists.
pub(super) fn vek(roots: &Digest, vek: &[u8], chain: &[&[u8]], crls: &[&[u8]]) -> Digest {
    let [chain, crls] = [list(chain), list(crls)];
    hash::sha256_fields("narthex/1/cache-vek", &[roots, vek, &chain, &crls])
}

/// Of Intel's collateral.
pub(super) fn tdx_collateral(roots: &Digest, collateral: &tdx::Collateral) -> Digest {
    let tdx::Collateral {
        tcb_info,
        tcb_info_signature,
        tcb_info_issuer_chain,
        qe_identity,
        qe_identity_signature,
        qe_identity_issuer_chain,
        root_ca_crl,
        pck_crl,
        pck_crl_issuer_chain,
        pck_certificate_chain,
    } = collateral;
    let pck_chain = pck_certificate_chain.as_deref().map(owned);
    let fields: [&[u8]; 11] = [
        roots,
        tcb_info,
        tcb_info_signature,
        &owned(tcb_info_issuer_chain),
        qe_identity,
        qe_identity_signature,
        &owned(qe_identity_issuer_chain),
        root_ca_crl,
        pck_crl,
        &owned(pck_crl_issuer_chain),
        pck_chain.as_ref().map_or(&[], |digest| digest.as_slice()),
    ];
    hash::sha256_fields("narthex/1/cache-tdx-collateral", &fields)
}

/// Of a platform's quoting enclave: by the collateral, and the PCK chain that the quote brings; `None` if the collateral does.
pub(super) fn enclave(collateral: &Digest, pck_chain: Option<&[u8]>) -> Digest {
    match pck_chain {
        Some(chain) => hash::sha256_fields("narthex/1/cache-enclave", &[collateral, chain]),
        None => hash::sha256_fields("narthex/1/cache-enclave", &[collateral]),
    }
}

/// Of reference manifests and the responses about their signers.
pub(super) fn references(roots: &Digest, references: &nvidia::References) -> Digest {
    let nvidia::References { rims, ocsp } = references;
    let [rims, ocsp] = [rims, ocsp].map(|parts| owned(parts));
    hash::sha256_fields("narthex/1/cache-references", &[roots, &rims, &ocsp])
}

/// Of a device's chain and `responses`, by their own [`responses`].
pub(super) fn device(roots: &Digest, chain: &[&[u8]], responses: &Digest) -> Digest {
    hash::sha256_fields("narthex/1/cache-device", &[roots, &list(chain), responses])
}

/// Of OCSP responses.
pub(super) fn responses(references: &nvidia::References) -> Digest {
    owned(&references.ocsp)
}

fn owned(parts: &[Vec<u8>]) -> Digest {
    list(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn list(parts: &[&[u8]]) -> Digest {
    hash::sha256_fields("narthex/1/cache-list", parts)
}

#[cfg(test)]
mod tests {
    use super::{device, enclave, references, tdx_collateral, vek};
    use crate::{nvidia::References, tdx::Collateral};
    use std::collections::BTreeSet;

    const ROOTS: [u8; 32] = [1; 32];

    fn collateral() -> Collateral {
        Collateral {
            tcb_info: vec![0],
            tcb_info_signature: vec![0],
            tcb_info_issuer_chain: vec![vec![0]],
            qe_identity: vec![0],
            qe_identity_signature: vec![0],
            qe_identity_issuer_chain: vec![vec![0]],
            root_ca_crl: vec![0],
            pck_crl: vec![0],
            pck_crl_issuer_chain: vec![vec![0]],
            pck_certificate_chain: Some(vec![vec![0]]),
        }
    }

    #[test]
    fn every_field_of_collateral_counts() {
        let edits: [fn(&mut Collateral); 12] = [
            |_| (),
            |one| one.tcb_info[0] ^= 1,
            |one| one.tcb_info_signature[0] ^= 1,
            |one| one.tcb_info_issuer_chain[0][0] ^= 1,
            |one| one.qe_identity[0] ^= 1,
            |one| one.qe_identity_signature[0] ^= 1,
            |one| one.qe_identity_issuer_chain[0][0] ^= 1,
            |one| one.root_ca_crl[0] ^= 1,
            |one| one.pck_crl[0] ^= 1,
            |one| one.pck_crl_issuer_chain[0][0] ^= 1,
            |one| one.pck_certificate_chain = None,
            |one| one.pck_certificate_chain = Some(Vec::new()),
        ];
        let keys = edits.map(|edit| {
            let mut edited = collateral();
            edit(&mut edited);
            tdx_collateral(&ROOTS, &edited)
        });
        let other_roots = tdx_collateral(&[2; 32], &collateral());
        let distinct: BTreeSet<_> = keys.into_iter().chain([other_roots]).collect();
        assert_eq!(distinct.len(), edits.len() + 1);
    }

    #[test]
    fn what_stands_where_counts() {
        let (one, other): (&[u8], &[u8]) = (b"1", b"2");
        let manifests = |rims: &[&[u8]], ocsp: &[&[u8]]| {
            let [rims, ocsp] = [rims, ocsp].map(|all| all.iter().map(|one| one.to_vec()).collect());
            references(&ROOTS, &References { rims, ocsp })
        };
        let keys = [
            vek(&ROOTS, one, &[one], &[other]),
            vek(&ROOTS, one, &[one, other], &[]),
            vek(&ROOTS, one, &[], &[one, other]),
            vek(&[2; 32], one, &[one], &[other]),
            enclave(&ROOTS, None),
            enclave(&ROOTS, Some(b"")),
            enclave(&[2; 32], None),
            device(&ROOTS, &[one, other], &[0; 32]),
            device(&ROOTS, &[b"12"], &[0; 32]),
            device(&ROOTS, &[one, other], &[1; 32]),
            device(&[2; 32], &[one, other], &[0; 32]),
            manifests(&[one], &[other]),
            manifests(&[one, other], &[]),
            manifests(&[], &[one, other]),
        ];
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }
}
