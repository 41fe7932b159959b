//! A virtual CPU's state at reset as a VMSA page (AMD64 APM volume 2, table B-4).

use super::{super::page::page_of, Vmm};

/// Where the bootstrap processor starts.
pub(super) const BSP_RESET: u32 = 0xffff_fff0;

/// What differs from one virtual CPU to another.
pub(super) struct ResetState {
    pub(super) reset_address: u32,
    pub(super) edx: u32,
    pub(super) guest_features: u64,
}

/// What differs from one virtual machine monitor to another.
struct Habits {
    cs_attributes: u16,
    ss_attributes: u16,
    tr_attributes: u16,
    g_pat: u64,
    mxcsr: u32,
    x87_fcw: u16,
}

/// The page attribute table after reset (AMD64 APM volume 2, section 7.8.2).
const G_PAT_RESET: u64 = 0x0007_0406_0007_0406;

fn habits(vmm: Vmm, reset_address: u32) -> Habits {
    match vmm {
        Vmm::Qemu => Habits {
            cs_attributes: 0x9b,
            ss_attributes: 0x93,
            tr_attributes: 0x8b,
            g_pat: G_PAT_RESET,
            mxcsr: 0x1f80,
            x87_fcw: 0x37f,
        },
        Vmm::Ec2 => Habits {
            cs_attributes: if reset_address == BSP_RESET {
                0x9a
            } else {
                0x9b
            },
            ss_attributes: 0x92,
            tr_attributes: 0x83,
            g_pat: G_PAT_RESET,
            mxcsr: 0,
            x87_fcw: 0,
        },
        Vmm::Gce => Habits {
            cs_attributes: 0x9b,
            ss_attributes: 0x93,
            tr_attributes: 0x8b,
            g_pat: 0x0007_0106,
            mxcsr: 0,
            x87_fcw: 0,
        },
    }
}

/// The page of a virtual CPU that starts as `state` says under `vmm`.
pub(super) fn page(vmm: Vmm, state: &ResetState) -> Vec<u8> {
    let habits = habits(vmm, state.reset_address);
    page_of(&[
        (0x000, &segments(&habits, state.reset_address)),
        (0x0d0, &0x1000_u64.to_le_bytes()),           // EFER: SVME
        (0x148, &0x40_u64.to_le_bytes()),             // CR4: MCE
        (0x158, &0x10_u64.to_le_bytes()),             // CR0: ET
        (0x160, &0x400_u64.to_le_bytes()),            // DR7
        (0x168, &0xffff_0ff0_u64.to_le_bytes()),      // DR6
        (0x170, &2_u64.to_le_bytes()),                // RFLAGS
        (0x178, &rip(state.reset_address)),           // RIP
        (0x268, &habits.g_pat.to_le_bytes()),         // G_PAT
        (0x310, &u64::from(state.edx).to_le_bytes()), // RDX
        (0x3b0, &state.guest_features.to_le_bytes()), // SEV_FEATURES
        (0x3e8, &1_u64.to_le_bytes()),                // XCR0: x87
        (0x408, &habits.mxcsr.to_le_bytes()),         // MXCSR
        (0x410, &habits.x87_fcw.to_le_bytes()),       // X87_FCW
    ])
}

/// ES, CS, SS, DS, FS, GS, GDTR, LDTR, IDTR, TR.
fn segments(habits: &Habits, reset_address: u32) -> Vec<u8> {
    let data = segment(0, 0x93, 0);
    [
        data,
        segment(0xf000, habits.cs_attributes, reset_address & 0xffff_0000),
        segment(0, habits.ss_attributes, 0),
        data,
        data,
        data,
        segment(0, 0, 0),
        segment(0, 0x82, 0),
        segment(0, 0, 0),
        segment(0, habits.tr_attributes, 0),
    ]
    .concat()
}

/// Selector, attributes, a limit of 64 KiB, base.
fn segment(selector: u16, attributes: u16, base: u32) -> [u8; 16] {
    let [s0, s1] = selector.to_le_bytes();
    let [a0, a1] = attributes.to_le_bytes();
    let [b0, b1, b2, b3] = base.to_le_bytes();
    [s0, s1, a0, a1, 0xff, 0xff, 0, 0, b0, b1, b2, b3, 0, 0, 0, 0]
}

fn rip(reset_address: u32) -> [u8; 8] {
    u64::from(reset_address & 0xffff).to_le_bytes()
}
