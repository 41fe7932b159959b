//! An invented NVIDIA: devices, manifests and responses that can be wrong in one point and are signed all the same.

use crate::{
    references::{Response, Rim},
    report::Report,
};
use attestation::{
    UnixTime, danger,
    nvidia::{self, DeviceClaims, Evidence, NvidiaError, References},
    roots::NvidiaRoots,
};
use std::sync::LazyLock;
use tee_sim::{
    Validity,
    der::{element, integer, object_identifier, octet_string, sequence},
    x509::{Certificate, Extension, Key, KeyUsage, Name},
};

/// Keys, made once: leaf, ROM, provisioner, generation, device root; then manifest signer and manifest root.
pub(crate) struct Keys {
    pub(crate) device: [Key; 5],
    pub(crate) signer: Key,
    pub(crate) rim_root: Key,
    pub(crate) p256: Key,
}

pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    device: std::array::from_fn(|_| Key::p384()),
    signer: Key::p384(),
    rim_root: Key::p384(),
    p256: Key::p256(),
});

pub(crate) const FWID: &[u32] = &[2, 23, 133, 5, 4, 1];
pub(crate) const TCB_INFO: &[u32] = &[2, 23, 133, 5, 4, 1, 1];

/// Everything about one device before it is signed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) report: Report,
    /// Leaf, ROM, provisioner, generation.
    pub(crate) chain: [Certificate; 4],
    pub(crate) signer: Certificate,
    pub(crate) rims: Vec<Rim>,
    /// About the ROM, the provisioner, the generation and the manifests' signer.
    pub(crate) responses: [Option<Response>; 4],
}

/// What a verifier is given.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) report: Vec<u8>,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) references: References,
    pub(crate) nonce: Option<[u8; 32]>,
    pub(crate) now: UnixTime,
}

impl Draft {
    /// A Hopper GPU with everything that its verdict needs.
    pub(crate) fn of_gpu() -> Self {
        Self {
            report: Report::of_gpu(),
            chain: chain("GH100 A01 GSP", [0x41, 1, 2, 3, 4, 5, 6, 7, 8]),
            signer: signer(),
            rims: vec![Rim::of_driver(), Rim::of_vbios()],
            responses: std::array::from_fn(|_| Some(Response::good())),
        }
    }

    /// One of several GPUs: the last byte of its identifier is `number`.
    pub(crate) fn of_gpu_number(number: u8) -> Self {
        let mut draft = Self::of_gpu();
        draft.chain[1].serial = vec![0x41, 0xC0, 0, 0, 0, 0, 0, 0, number];
        draft
    }

    /// A Blackwell GPU, whose certificate has DiceTcbInfo.
    pub(crate) fn of_blackwell() -> Self {
        let mut draft = Self::of_gpu();
        draft.chain[0].subject = name("GB100 A01 GSP FMC LF");
        draft.chain[0].without(FWID);
        draft.chain[0].extension(TCB_INFO).value = tcb_info([0xF1; 48]);
        *draft.report.field(35) = b"GB100\0".to_vec();
        draft.rims.iter_mut().for_each(|rim| rim.product = "GB100");
        draft
    }

    /// A switch, linked to `gpus`.
    pub(crate) fn of_switch_number(number: u8, gpus: &[[u8; 8]]) -> Self {
        let pdi = [0x50, 0, 0, 0, 0, 0, 0, number];
        let serial = [0x50, 0x50, 0, 0, 0, 0, 0, 0, number];
        Self {
            report: Report::of_switch(pdi, gpus),
            chain: chain("LS_10 A01 FSP", serial),
            rims: vec![Rim::of_switch()],
            ..Self::of_gpu()
        }
    }

    /// The identifier that the certificates give.
    pub(crate) fn pdi(&self) -> [u8; 8] {
        *self.chain[1].serial.last_chunk().unwrap()
    }

    pub(crate) fn issue(&self) -> Issued {
        let keys = &*KEYS;
        let issued = self.chain.iter().zip(&keys.device[1..]);
        let signer = self.signer.sign(&keys.rim_root);
        let rims = self
            .rims
            .iter()
            .map(|rim| rim.signed_by(&keys.signer, &signer));
        let subjects = self.chain[1..].iter().chain([&self.signer]);
        let issuers = keys.device[2..].iter().chain([&keys.rim_root]);
        let about = self.responses.iter().zip(subjects.zip(issuers));
        let ocsp = about.filter_map(|(response, (subject, issuer))| {
            response.as_ref().map(|one| one.about(subject, issuer))
        });
        Issued {
            report: self.report.signed_by(&keys.device[0]),
            chain: issued.map(|(one, issuer)| one.sign(issuer)).collect(),
            references: References {
                rims: rims.collect(),
                ocsp: ocsp.collect(),
            },
            nonce: Some([0x4E; 32]),
            now: UnixTime::from_rfc3339("2026-06-01T12:00:00Z").unwrap(),
        }
    }
}

impl Issued {
    pub(crate) fn verify(&self) -> Result<DeviceClaims, NvidiaError> {
        let chain: Vec<&[u8]> = self.chain.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            report: &self.report,
            chain: &chain,
        };
        let nonce = self.nonce.as_ref();
        nvidia::verify(&evidence, &self.references, nonce, &roots(), self.now)
    }

    pub(crate) fn code(&self) -> &'static str {
        self.verify().map_or_else(|error| error.code(), |_| "")
    }
}

/// The vendor's roots.
#[allow(clippy::disallowed_methods, reason = "the vendor is invented")]
pub(crate) fn roots() -> NvidiaRoots {
    let [device, rim] = root_certificates();
    danger::nvidia_roots(&device, &rim)
}

/// Device root and manifest root, DER.
pub(crate) fn root_certificates() -> [Vec<u8>; 2] {
    let keys = &*KEYS;
    let root = |text: &str, key: &Key| authority([name(text), name(text)], &[1], key).sign(key);
    [
        root("Device Root", &keys.device[4]),
        root("RIM Root", &keys.rim_root),
    ]
}

fn chain(chip: &str, serial: [u8; 9]) -> [Certificate; 4] {
    let keys = &KEYS.device;
    let rom = name(&format!("{chip} BROM"));
    let (provisioner, generation) = (name("Provisioner"), name("Generation"));
    let leaf = Certificate {
        extensions: vec![
            Extension::key_usage(KeyUsage(0x80)),
            Extension::new(FWID, device_id([0xF1; 48])),
        ],
        ..authority(
            [rom.clone(), name(&format!("{chip} FMC LF"))],
            &[0x53; 20],
            &keys[0],
        )
    };
    [
        leaf,
        authority([provisioner.clone(), rom], &serial, &keys[1]),
        authority([generation.clone(), provisioner], &[3], &keys[2]),
        authority([name("Device Root"), generation], &[2], &keys[3]),
    ]
}

fn signer() -> Certificate {
    Certificate {
        extensions: vec![Extension::key_usage(KeyUsage(0x80))],
        ..authority([name("RIM Root"), name("RIM Signer")], &[9], &KEYS.signer)
    }
}

fn authority(names: [Name; 2], serial: &[u8], key: &Key) -> Certificate {
    let [not_before, not_after] = ["2020-10-17T00:00:00Z", "2045-12-31T23:59:59Z"]
        .map(|time| UnixTime::from_rfc3339(time).unwrap());
    let validity = Validity {
        not_before,
        not_after,
    };
    let certificate = Certificate {
        serial: serial.to_vec(),
        ..Certificate::new(names, 1, validity, key)
    };
    certificate.extended([
        Extension::authority(None),
        Extension::key_usage(KeyUsage::CERTIFICATES_AND_LISTS),
    ])
}

pub(crate) fn name(common_name: &str) -> Name {
    Name {
        attributes: vec![(10, "Invented".to_owned()), (3, common_name.to_owned())],
    }
}

/// Hopper's extension.
pub(crate) fn device_id(digest: [u8; 48]) -> Vec<u8> {
    sequence(&[integer(1), KEYS.device[1].public_key_info(), fwid(digest)])
}

/// Blackwell's extension.
pub(crate) fn tcb_info(digest: [u8; 48]) -> Vec<u8> {
    let fwids = [fwid(digest), fwid([0xEE; 48])].concat();
    sequence(&[element(0x80, b"Invented"), element(0xA6, &fwids)])
}

fn fwid(digest: [u8; 48]) -> Vec<u8> {
    let sha384 = object_identifier(&[2, 16, 840, 1, 101, 3, 4, 2, 2]);
    sequence(&[sha384, octet_string(&digest)])
}
