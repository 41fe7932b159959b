//! Responses of NVIDIA's OCSP responders about the certificates of a GPU and of the signers of its manifests.

#![allow(
    clippy::print_stdout,
    reason = "a test may fail, and shows what it looked at"
)]

use crate::support::{at, certificates, vectors};
use attestation::{
    UnixTime,
    nvidia::rim::Rim,
    ocsp::{OcspError, Response, Status},
    roots::NvidiaRoots,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Within the day that the responses of each kind hold.
const DEVICE_TIME: &str = "2025-08-21T12:00:00Z";
const RIM_TIME: &str = "2025-10-24T18:00:00Z";

/// A genuine response, whom it is about, and when it holds.
struct Case {
    name: String,
    der: Vec<u8>,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    now: UnixTime,
}

impl Case {
    fn verify(&self) -> Result<Status, OcspError> {
        self.verify_bytes(&self.der)
    }

    fn verify_bytes(&self, der: &[u8]) -> Result<Status, OcspError> {
        Response::parse(der)?.verify(&self.subject, &self.issuer, self.now)
    }
}

/// Every genuine response at hand; says so where there is none, as no package of Rust's ships one.
fn cases() -> Vec<Case> {
    let Some(folder) = vectors().map(|folder| folder.join("go-nvattest-tools")) else {
        println!("NARTHEX_VECTORS is not set: no OCSP response to look at");
        return Vec::new();
    };
    let device = certificates(&folder.join("test_gpu_attestation_certificate_chain.dat"));
    let driver = rim_chain(&folder.join("rim/NV_GPU_DRIVER_GH100_550.90.07.xml"));
    let vbios = rim_chain(&folder.join("rim/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"));
    let about = |name: &str, chain: &[Vec<u8>], index: usize, time: &str| Case {
        name: name.to_owned(),
        der: response(&folder, name),
        subject: chain[index].clone(),
        issuer: chain[index + 1].clone(),
        now: at(time),
    };
    vec![
        about("gpu_certificate_l4", &device, 1, DEVICE_TIME),
        about("gpu_certificate_l3", &device, 2, DEVICE_TIME),
        about("gpu_certificate_l2", &device, 3, DEVICE_TIME),
        about("gpu_driver_rim_l4", &driver, 0, RIM_TIME),
        about("gpu_driver_rim_l3", &driver, 1, RIM_TIME),
        about("gpu_rim_l2", &driver, 2, RIM_TIME),
        about("gpu_vbios_l4", &vbios, 0, RIM_TIME),
    ]
}

fn response(folder: &Path, name: &str) -> Vec<u8> {
    let file: PathBuf = folder.join(format!("ocsp/test_{name}_base64encoded_ocsp_response.dat"));
    STANDARD
        .decode(fs::read(file).unwrap().trim_ascii())
        .unwrap()
}

/// A manifest's validated path, the signer first.
fn rim_chain(path: &Path) -> Vec<Vec<u8>> {
    let rim = Rim::parse(&fs::read(path).unwrap()).unwrap();
    let rim = rim.verify(&NvidiaRoots::vendor(), at(RIM_TIME)).unwrap();
    rim.certificates
}

#[test]
fn every_response_says_good_for_its_day() {
    for case in cases() {
        let status = case.verify().unwrap();
        let window = status.window;
        println!(
            "{} {}..{}",
            case.name,
            window.not_before.to_rfc3339(),
            window.not_after.to_rfc3339()
        );
        assert_eq!(
            window.not_after.since(window.not_before),
            86_400,
            "{}",
            case.name
        );
        assert_eq!(
            (status.produced_at, status.nonce),
            (window.not_before, None)
        );
        for (now, right) in [
            (window.not_before, true),
            (window.not_after, true),
            (UnixTime(window.not_before.0 - 1), false),
            (window.not_after.plus(1), false),
        ] {
            let verdict = Case {
                now,
                ..case_of(&case)
            }
            .verify();
            let expected = if right {
                Ok(())
            } else {
                Err(OcspError::Window)
            };
            assert_eq!(verdict.map(|_| ()), expected, "{}", case.name);
        }
    }
}

fn case_of(case: &Case) -> Case {
    Case {
        name: case.name.clone(),
        der: case.der.clone(),
        subject: case.subject.clone(),
        issuer: case.issuer.clone(),
        now: case.now,
    }
}

/// The driver's and the VBIOS's signers have one issuer and one responder.
#[test]
fn a_response_is_about_one_certificate() {
    let cases = cases();
    for (one, case) in cases.iter().enumerate() {
        for (other, about) in cases.iter().enumerate().filter(|(other, _)| *other != one) {
            let verdict = Case {
                der: about.der.clone(),
                ..case_of(case)
            };
            assert_eq!(verdict.verify(), Err(OcspError::CertId), "{one} {other}");
        }
    }
}

#[test]
fn a_responder_that_has_expired_is_told_so() {
    for case in cases()
        .into_iter()
        .filter(|case| case.name.ends_with("certificate_l2"))
    {
        let now = at("2025-09-22T00:00:00Z");
        let verdict = Case { now, ..case }.verify();
        assert_eq!(verdict, Err(OcspError::ResponderWindow));
    }
}

/// Nothing of a response is without meaning: there is no bit that can be flipped. Of the first all are, of the others every eleventh.
#[test]
fn flipping_any_bit_is_refused() {
    for (index, case) in cases().into_iter().enumerate() {
        let step = if index == 0 { 1 } else { 11 };
        let mut der = case.der.clone();
        for bit in (0..der.len() * 8).step_by(step) {
            der[bit / 8] ^= 1 << (bit % 8);
            let verdict = case.verify_bytes(&der);
            assert!(verdict.is_err(), "{} bit {bit}", case.name);
            der[bit / 8] ^= 1 << (bit % 8);
        }
        der.push(0);
        assert_eq!(case.verify_bytes(&der), Err(OcspError::Format));
    }
}
