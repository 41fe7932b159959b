"""NVIDIA's own verifier on one report, chain and two RIMs, for `bench verify`: for each line of standard input, a number of seconds, it verifies for
so long and answers with the calls and the seconds of processor time that they took.

What runs is what `verifier.cc_admin.attest` runs for one GPU, in its order, by the package's own functions: AttestationReport, GpuCertificateChains,
CcAdminUtils.verify_gpu_certificate_chain, CcAdminUtils.verify_attestation_report, RIM and RIM.verify for the driver and the VBIOS, Verifier.verify.
Left out, as on our side: NVML, the network (RIMs come from memory, OCSP answers "good" at no cost). Left out in the peer's favour: its two logs and
the JWT that it writes in the end. The certificates are judged at the time given, where the package can only take the system's clock.

usage: nvidia_python.py UNIX_SECONDS REPORT CHAIN_PEM DRIVER_RIM VBIOS_RIM
"""
import datetime
import logging
import os
import sys
import tempfile
import time
import warnings

warnings.simplefilter("ignore")
scratch = tempfile.TemporaryDirectory()
os.chdir(scratch.name)  # the package writes a log into the working directory

from OpenSSL import crypto  # noqa: E402

from verifier.attestation import AttestationReport  # noqa: E402
from verifier.cc_admin_utils import CcAdminUtils  # noqa: E402
from verifier.config import GPU_ARCHITECTURE_MAP, event_log, info_log  # noqa: E402
from verifier.nvml.gpu_cert_chains import GpuCertificateChains  # noqa: E402
from verifier.nvml.test_handle import TestHandle  # noqa: E402
from verifier.rim import RIM  # noqa: E402
from verifier.verifier import Verifier  # noqa: E402

HOPPER = 9
DRIVER_VERSION = "550.90.07"
VBIOS_VERSION = "96.00.9f.00.01"


def judge_certificates_at(now):
    """Every certificate that the package or its XML library verifies is verified at this time."""
    original = crypto.X509StoreContext.__init__

    def at_time(self, store, *arguments, **keywords):
        store.set_time(now)
        original(self, store, *arguments, **keywords)

    crypto.X509StoreContext.__init__ = at_time


def verify(report, chain, driver_rim, vbios_rim):
    settings = GPU_ARCHITECTURE_MAP[HOPPER]
    settings.__init__()
    settings.mark_gpu_arch_is_correct()
    report = AttestationReport(report, settings)
    settings.mark_attestation_report_parsed()
    chain = GpuCertificateChains(TestHandle(chain)).GpuAttestationCertificateChain
    fwid = report.get_response_message().get_opaque_data().get_data("OPAQUE_FIELD_ID_FWID").hex()
    chain_is_right, _, _ = CcAdminUtils.verify_gpu_certificate_chain(chain, settings, fwid)
    settings.mark_gpu_attestation_report_cert_chain_validated(chain_is_right)
    settings.mark_gpu_attestation_report_cert_status("valid")
    settings.mark_gpu_attestation_report_cert_ocsp_status("good")
    nonce = report.get_request_message().get_nonce()
    CcAdminUtils.verify_attestation_report(report, chain[0], nonce, DRIVER_VERSION, VBIOS_VERSION, settings)
    rims = []
    for name, content, version in (("driver", driver_rim, DRIVER_VERSION), ("vbios", vbios_rim, VBIOS_VERSION)):
        rim = RIM(rim_name=name, settings=settings, content=content)
        rim.verify(version=version, settings=settings)
        rims.append(rim)
    Verifier(report, *rims, settings=settings).verify(settings)
    if not settings.check_status():
        raise SystemExit("genuine evidence did not verify")


def main():
    now, report, chain, *rims = sys.argv[1:]
    judge_certificates_at(datetime.datetime.fromtimestamp(int(now), datetime.timezone.utc))
    CcAdminUtils.ocsp_certificate_chain_validation = staticmethod(lambda chain, settings, mode: (True, "", "good", None))
    for log in (info_log, event_log):
        log.handlers.clear()
        log.setLevel(logging.CRITICAL)
    with open(report, "rb") as report, open(chain, "rb") as chain:
        evidence = [report.read(), chain.read()]
    for path in rims:
        with open(path, encoding="utf-8") as rim:
            evidence.append(rim.read())
    for line in sys.stdin:
        seconds, calls, start = float(line), 0, time.process_time()
        while calls == 0 or time.process_time() - start < seconds:
            verify(*evidence)
            calls += 1
        print(calls, time.process_time() - start, flush=True)


if __name__ == "__main__":
    main()
