//! A VM of the invented vendor that is right in every point until a test makes it wrong in one.

use crate::{
    crypto,
    roots::{SnpRoots, TdxRoots},
    snp::tests::genuine as snp,
    vtpm::{AzureClaims, AzureError, AzureEvidence, AzureRoots, Endorsements, TpmQuote, verify},
};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::sync::LazyLock;

pub(super) static AK: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
pub(super) const NONCE: &[u8] = b"challenge";
pub(super) const PCR_COUNT: usize = 24;

/// Evidence before anything is signed. PCR number i is 32 bytes of i.
pub(super) struct Draft {
    pub(super) snp: snp::Draft,
    pub(super) kind: u32,
    pub(super) hash_type: u32,
    pub(super) var_data: String,
    pub(super) edit_report_data: fn(&mut [u8]),
    pub(super) magic: u32,
    pub(super) attest_type: u16,
    pub(super) signer: Vec<u8>,
    pub(super) extra_data: Vec<u8>,
    pub(super) safe: u8,
    pub(super) banks: u32,
    pub(super) bank: u16,
    pub(super) selection: [u8; 3],
    pub(super) pcr_digest: [u8; 32],
    pub(super) trailing: usize,
}

/// Evidence as a verifier receives it.
pub(super) struct Issued {
    pub(super) hcl_report: Vec<u8>,
    pub(super) snp: snp::Issued,
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) pcrs: Option<Vec<[u8; 32]>>,
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) without_quote: bool,
    pub(super) without_endorsements: bool,
}

/// Variable data whose AK has this modulus.
pub(super) fn var_data(modulus: &[u8]) -> String {
    let key = |kid: &str, op: &str, modulus: &[u8]| {
        let n = URL_SAFE_NO_PAD.encode(modulus);
        format!(r#"{{"kid":"{kid}","key_ops":["{op}"],"kty":"RSA","e":"AQAB","n":"{n}"}}"#)
    };
    let ak = key("HCLAkPub", "sign", modulus);
    let ek = key("HCLEkPub", "encrypt", &[0xEE; 256]);
    let vm = r#""console-enabled":true,"secure-boot":true,"tpm-enabled":true,"tpm-persisted":false,"vmUniqueId":"VM-1""#;
    let user_data = "AB".repeat(64);
    format!(r#"{{"keys":[{ak},{ek}],"vm-configuration":{{{vm}}},"user-data":"{user_data}"}}"#)
}

/// The modulus out of `RSAPublicKey`, DER.
fn modulus(key: &KeyPair) -> Vec<u8> {
    key.public_key().as_ref()[9..265].to_vec()
}

fn pcrs() -> Vec<[u8; 32]> {
    (0..PCR_COUNT).map(|index| [index as u8; 32]).collect()
}

impl Draft {
    pub(super) fn genuine() -> Self {
        let var_data = var_data(&modulus(&AK));
        Self {
            snp: snp::Draft::genuine(),
            kind: 2,
            hash_type: 1,
            edit_report_data: |_| {},
            var_data,
            magic: 0xFF54_4347,
            attest_type: 0x8018,
            signer: [&[0, 0x0B][..], &[0x51; 32]].concat(),
            extra_data: NONCE.to_vec(),
            safe: 1,
            banks: 1,
            bank: 0x000B,
            selection: [0xFF; 3],
            pcr_digest: crypto::sha256(&pcrs().concat()),
            trailing: 0,
        }
    }

    pub(super) fn replace(&mut self, old: &str, new: &str) {
        let changed = self.var_data.replacen(old, new, 1);
        assert_ne!(changed, self.var_data, "{old:?} is not in it");
        self.var_data = changed;
    }

    pub(super) fn issue(mut self) -> Issued {
        let report_data = &mut self.snp.report[0x50..0x90];
        report_data.fill(0);
        report_data[..32].copy_from_slice(&crypto::sha256(self.var_data.as_bytes()));
        (self.edit_report_data)(report_data);
        let snp = self.snp.issue();
        let message = self.message();
        Issued {
            hcl_report: self.hcl_report(&snp.report),
            snp,
            signature: sign(&message),
            message,
            pcrs: Some(pcrs()),
            nonce: Some(NONCE.to_vec()),
            without_quote: false,
            without_endorsements: false,
        }
    }

    fn hcl_report(&self, hardware_report: &[u8]) -> Vec<u8> {
        let var_data = self.var_data.as_bytes();
        let data_bytes = 20 + var_data.len() as u32;
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let header: Vec<u8> = words(&[2, 1216 + data_bytes, 2, 0, 0, 0, 0]);
        let data_header: Vec<u8> = words(&[
            data_bytes,
            1,
            self.kind,
            self.hash_type,
            var_data.len() as u32,
        ]);
        let padding = [0; 100];
        [
            b"HCLA",
            &header[..],
            hardware_report,
            &data_header,
            var_data,
            &padding,
        ]
        .concat()
    }

    fn message(&self) -> Vec<u8> {
        let sized = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
        [
            self.magic.to_be_bytes().to_vec(),
            self.attest_type.to_be_bytes().to_vec(),
            sized(&self.signer),
            sized(&self.extra_data),
            7000_u64.to_be_bytes().to_vec(),
            3_u32.to_be_bytes().to_vec(),
            1_u32.to_be_bytes().to_vec(),
            vec![self.safe],
            9_u64.to_be_bytes().to_vec(),
            self.banks.to_be_bytes().to_vec(),
            self.bank.to_be_bytes().to_vec(),
            vec![3],
            self.selection.to_vec(),
            sized(&self.pcr_digest),
            vec![0; self.trailing],
        ]
        .concat()
    }
}

impl Issued {
    pub(super) fn endorsements<'a>(&'a self, chain: &'a [&'a [u8]]) -> Endorsements<'a> {
        if self.without_endorsements {
            return Endorsements::Missing;
        }
        Endorsements::Snp {
            vek: &self.snp.vek,
            chain,
            crls: &[],
        }
    }

    pub(super) fn verify(&self) -> Result<AzureClaims, AzureError> {
        let chain: Vec<&[u8]> = self.snp.chain.iter().map(Vec::as_slice).collect();
        let quote = TpmQuote {
            message: &self.message,
            signature: &self.signature,
            pcrs: self.pcrs.as_deref(),
        };
        let evidence = AzureEvidence {
            hcl_report: &self.hcl_report,
            endorsements: self.endorsements(&chain),
            quote: (!self.without_quote).then_some(quote),
        };
        let roots = AzureRoots {
            snp: SnpRoots::invented(&self.snp.ark, &self.snp.ask),
            tdx: TdxRoots::vendor(),
        };
        verify(&evidence, &roots, self.nonce.as_deref(), snp::NOW)
    }
}

fn sign(message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; AK.public_modulus_len()];
    AK.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message,
        &mut signature,
    )
    .unwrap();
    signature
}
