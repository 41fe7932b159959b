//! The parsers here against crate `x509-cert`: what one refuses the other refuses, and they read the same.

use super::{Certificate, RevocationList, signed::Signed, unix_time};
use der::{Decode as _, Encode as _};
use std::{env, fs, path::Path};
use x509_cert::{TbsCertificate, Version, certificate::Rfc5280, crl::TbsCertList, ext::Extensions};

/// Every pinned certificate, and each with one bit flipped, every bit of it in turn.
#[test]
fn certificates_are_read_as_x509_cert_reads_them() {
    let mut accepted = 0;
    for mut der in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("roots")) {
        assert!(is_read_alike(&der));
        for bit in 0..der.len() * 8 {
            flip(&mut der, bit);
            accepted += u32::from(is_read_alike(&der));
            flip(&mut der, bit);
        }
    }
    assert!(accepted > 10_000, "{accepted}");
}

/// The revocation lists among the evidence; no package ships one.
#[test]
fn lists_are_read_as_x509_cert_reads_them() {
    #[expect(clippy::disallowed_methods, reason = "evidence is found by a variable")]
    let Some(folder) = env::var_os("NARTHEX_VECTORS") else {
        println!("NARTHEX_VECTORS is not set: no revocation list to look at");
        return;
    };
    let path = Path::new(&folder).join("openpcc/test_amd_milan_crl.crl");
    let mut lists = vec![fs::read(path).unwrap()];
    let json = Path::new(&folder).join("dcap-qvl/tdx_quote_collateral.json");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    for field in ["root_ca_crl", "pck_crl"] {
        lists.push(hex::decode(json[field].as_str().unwrap()).unwrap());
    }
    for mut der in lists {
        assert!(is_list_read_alike(&der));
        for bit in 0..der.len() * 8 {
            flip(&mut der, bit);
            is_list_read_alike(&der);
            flip(&mut der, bit);
        }
    }
}

/// Whether both accept; they must agree on that and on what the certificate says.
fn is_read_alike(der: &[u8]) -> bool {
    let ours = Certificate::parse(der);
    let theirs = Signed::split(der)
        .and_then(|signed| TbsCertificate::from_der(signed.to_be_signed).ok())
        .filter(|tbs| tbs.version() == Version::V3 && !has_doubles(tbs.extensions()));
    let (Some(ours), Some(tbs)) = (&ours, &theirs) else {
        assert_eq!(ours.is_some(), theirs.is_some(), "{}", hex::encode(der));
        return false;
    };
    assert_eq!(ours.issuer().der(), tbs.issuer().to_der().unwrap());
    assert_eq!(ours.subject().der(), tbs.subject().to_der().unwrap());
    assert_eq!(ours.serial(), tbs.serial_number().as_bytes());
    assert_eq!(ours.not_before(), unix_time(tbs.validity().not_before));
    assert_eq!(ours.not_after(), unix_time(tbs.validity().not_after));
    for extension in tbs.extensions().into_iter().flatten() {
        let value = Some(extension.extn_value.as_bytes());
        assert_eq!(ours.extension(extension.extn_id), value);
    }
    true
}

/// The same of a list; what `x509-cert` accepts may be refused here for what it says.
fn is_list_read_alike(der: &[u8]) -> bool {
    let Some(ours) = RevocationList::parse(der) else {
        return false;
    };
    let signed = Signed::split(der).unwrap();
    let theirs = TbsCertList::<Rfc5280>::from_der(signed.to_be_signed);
    let theirs = theirs.expect("x509-cert accepts what is accepted here");
    assert_eq!(ours.issuer().der(), theirs.issuer.to_der().unwrap());
    assert_eq!(ours.window().not_before, unix_time(theirs.this_update));
    assert_eq!(
        ours.window().not_after,
        unix_time(theirs.next_update.unwrap())
    );
    for entry in theirs.revoked_certificates.iter().flatten() {
        assert!(ours.revokes(entry.serial_number.as_bytes()));
        assert!(!has_doubles(entry.crl_entry_extensions.as_ref()));
    }
    assert!(!ours.revokes(b"on no list"));
    true
}

fn has_doubles(extensions: Option<&Extensions>) -> bool {
    let oids: Vec<_> = extensions
        .into_iter()
        .flatten()
        .map(|one| one.extn_id)
        .collect();
    oids.iter()
        .enumerate()
        .any(|(index, oid)| oids[..index].contains(oid))
}

fn flip(der: &mut [u8], bit: usize) {
    der[bit / 8] ^= 1 << (bit % 8);
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let certificates = paths.filter(|path| path.extension().is_some_and(|suffix| suffix == "der"));
    certificates.map(|path| fs::read(path).unwrap()).collect()
}
