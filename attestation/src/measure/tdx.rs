//! MRTD of a TD that starts from a TDVF image, and the registers that TDVF extends when it starts a kernel directly.
//!
//! MRTD is SHA-384 over one buffer of 128 bytes per TDH.MEM.PAGE.ADD and, for what is measured, one buffer and 256 bytes of content per
//! TDH.MR.EXTEND (Intel TDX Module Base Architecture Specification, "Measurement and Attestation"). Which pages, in which order, the image's
//! TDVF metadata says (Intel TDX Virtual Firmware Design Guide, section 11).

mod authenticode;
mod boot;
mod metadata;

pub use authenticode::authenticode_sha384;
pub use boot::DirectBoot;

use super::{MeasureError, Measurement, Region, firmware::Firmware, page::PAGE_BYTES};
use crate::crypto::Sha384;
use metadata::Section;

/// Bytes of content per TDH.MR.EXTEND.
const CHUNK_BYTES: usize = 256;

/// In which order the pages of one section are added and measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOrder {
    /// Each page is added, then measured: Linux from 6.16.
    OnePass,
    /// All pages are added, then all are measured: some hypervisors before it.
    TwoPass,
}

/// MRTD of a TD that is started from `firmware`.
pub fn mrtd(firmware: &[u8], order: PageOrder) -> Result<Measurement, MeasureError> {
    let firmware = Firmware::parse(firmware)?;
    let sections = metadata::sections(&firmware)?;
    let mut hash = Sha384::new();
    let mut regions = Vec::new();
    for section in &sections {
        add_section(&mut hash, section, order);
        regions.push(Region {
            kind: section.kind,
            operation: section.operation(),
            gpa: section.gpa,
            size_bytes: section.size_bytes,
            digest: hash.value(),
        });
    }
    Ok(Measurement {
        digest: hash.value(),
        regions,
    })
}

/// The value of a runtime measurement register after `events` were extended into it.
#[must_use]
pub fn rtmr(events: &[[u8; 48]]) -> [u8; 48] {
    events.iter().fold([0; 48], |register, event| {
        crate::crypto::sha384(&[register, *event].concat())
    })
}

fn add_section(hash: &mut Sha384, section: &Section<'_>, order: PageOrder) {
    let pages = || (section.gpa..).step_by(PAGE_BYTES).take(section.pages());
    match order {
        PageOrder::OnePass => {
            for (index, gpa) in pages().enumerate() {
                add_page(hash, section, gpa);
                extend_page(hash, section, index, gpa);
            }
        }
        PageOrder::TwoPass => {
            pages().for_each(|gpa| add_page(hash, section, gpa));
            for (index, gpa) in pages().enumerate() {
                extend_page(hash, section, index, gpa);
            }
        }
    }
}

fn add_page(hash: &mut Sha384, section: &Section<'_>, gpa: u64) {
    if section.is_added {
        hash.update(&operation(b"MEM.PAGE.ADD", gpa));
    }
}

fn extend_page(hash: &mut Sha384, section: &Section<'_>, index: usize, gpa: u64) {
    if !section.is_measured {
        return;
    }
    let page = section.page(index);
    for (chunk, gpa) in page.chunks(CHUNK_BYTES).zip((gpa..).step_by(CHUNK_BYTES)) {
        hash.update(&operation(b"MR.EXTEND", gpa));
        hash.update(chunk);
    }
}

/// The buffer of 128 bytes that stands for an operation: its name, zeros up to 16 bytes, the address, zeros.
fn operation(name: &[u8], gpa: u64) -> Vec<u8> {
    let mut buffer = name.to_vec();
    buffer.resize(16, 0);
    buffer.extend_from_slice(&gpa.to_le_bytes());
    buffer.resize(128, 0);
    buffer
}
