/* A libnvidia-ml.so.1 whose every answer is written into `fake` by the test that loaded it. Each function can be left out by defining
 * WITHOUT_<its name>. */
#include <stdint.h>
#include <string.h>

typedef uint32_t status;

struct fake {
    status init, state, settings, ready, set_ready, driver, cuda, count, handle, vbios, uuid, report, certificate;
    uint32_t environment, cc_feature, dev_tools;
    uint32_t settings_environment, settings_cc_feature, settings_dev_tools, multi_gpu;
    uint32_t is_ready, sets_in_vain, times_set, times_shut_down;
    int32_t cuda_version;
    uint32_t gpus;
    char driver_version[80];
    char vbios_version[32];
    /* Its last digit counts the GPUs. */
    char uuid_text[96];
    uint32_t same_uuid;
    uint32_t cec_present, report_size, cec_size, chain_size;
    uint8_t report_bytes[8192];
    char chain[5120];
    /* Signs for the nonce and gives the report's size; used where it is not null. */
    uint32_t (*sign)(const uint8_t nonce[32], uint8_t report[8192]);
};

struct fake fake;

struct state { uint32_t environment, cc_feature, dev_tools; };
struct settings { uint32_t version, environment, cc_feature, dev_tools, multi_gpu; };
struct report {
    uint32_t cec_present, size, cec_size;
    uint8_t nonce[32], bytes[8192], cec[4096];
};
struct certificate {
    uint32_t chain_size, attestation_chain_size;
    uint8_t chain[4096], attestation_chain[5120];
};

#ifndef WITHOUT_nvmlInit_v2
status nvmlInit_v2(void) { return fake.init; }
#endif

#ifndef WITHOUT_nvmlShutdown
status nvmlShutdown(void) { fake.times_shut_down++; return 0; }
#endif

#ifndef WITHOUT_nvmlSystemGetConfComputeState
status nvmlSystemGetConfComputeState(struct state *state) {
    if (fake.state) return fake.state;
    state->environment = fake.environment;
    state->cc_feature = fake.cc_feature;
    state->dev_tools = fake.dev_tools;
    return 0;
}
#endif

#ifndef WITHOUT_nvmlSystemGetConfComputeSettings
status nvmlSystemGetConfComputeSettings(struct settings *settings) {
    if (fake.settings) return fake.settings;
    if (settings->version != (sizeof(struct settings) | 1u << 24)) return 25;
    settings->environment = fake.settings_environment;
    settings->cc_feature = fake.settings_cc_feature;
    settings->dev_tools = fake.settings_dev_tools;
    settings->multi_gpu = fake.multi_gpu;
    return 0;
}
#endif

#ifndef WITHOUT_nvmlSystemGetConfComputeGpusReadyState
status nvmlSystemGetConfComputeGpusReadyState(uint32_t *ready) {
    if (fake.ready) return fake.ready;
    *ready = fake.is_ready;
    return 0;
}
#endif

#ifndef WITHOUT_nvmlSystemSetConfComputeGpusReadyState
status nvmlSystemSetConfComputeGpusReadyState(uint32_t ready) {
    if (fake.set_ready) return fake.set_ready;
    fake.times_set++;
    if (!fake.sets_in_vain) fake.is_ready = ready;
    return 0;
}
#endif

#ifndef WITHOUT_nvmlSystemGetDriverVersion
status nvmlSystemGetDriverVersion(char *version, unsigned length) {
    if (fake.driver) return fake.driver;
    if (length < sizeof fake.driver_version) return 7;
    memcpy(version, fake.driver_version, sizeof fake.driver_version);
    return 0;
}
#endif

#ifndef WITHOUT_nvmlSystemGetCudaDriverVersion_v2
status nvmlSystemGetCudaDriverVersion_v2(int *version) {
    if (fake.cuda) return fake.cuda;
    *version = fake.cuda_version;
    return 0;
}
#endif

#ifndef WITHOUT_nvmlDeviceGetCount_v2
status nvmlDeviceGetCount_v2(unsigned *count) {
    if (fake.count) return fake.count;
    *count = fake.gpus;
    return 0;
}
#endif

#ifndef WITHOUT_nvmlDeviceGetHandleByIndex_v2
status nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    if (fake.handle) return fake.handle;
    *device = (char *)&fake + index;
    return 0;
}
#endif

#ifndef WITHOUT_nvmlDeviceGetVbiosVersion
status nvmlDeviceGetVbiosVersion(void *device, char *version, unsigned length) {
    if (fake.vbios) return fake.vbios;
    if (length < sizeof fake.vbios_version) return 7;
    memcpy(version, fake.vbios_version, sizeof fake.vbios_version);
    return 0;
}
#endif

#ifndef WITHOUT_nvmlDeviceGetUUID
status nvmlDeviceGetUUID(void *device, char *uuid, unsigned length) {
    if (fake.uuid) return fake.uuid;
    if (length < sizeof fake.uuid_text) return 7;
    memcpy(uuid, fake.uuid_text, sizeof fake.uuid_text);
    size_t digits = strnlen(uuid, length);
    if (digits && !fake.same_uuid) uuid[digits - 1] += (char *)device - (char *)&fake;
    return 0;
}
#endif

#ifndef WITHOUT_nvmlDeviceGetConfComputeGpuAttestationReport
status nvmlDeviceGetConfComputeGpuAttestationReport(void *device, struct report *report) {
    if (fake.report) return fake.report;
    report->cec_present = fake.cec_present;
    report->cec_size = fake.cec_size;
    report->size = fake.report_size;
    memset(report->cec, 0xce, sizeof report->cec);
    if (fake.sign)
        report->size = fake.sign(report->nonce, report->bytes);
    else
        memcpy(report->bytes, fake.report_bytes, sizeof report->bytes);
    return 0;
}
#endif

#ifndef WITHOUT_nvmlDeviceGetConfComputeGpuCertificate
status nvmlDeviceGetConfComputeGpuCertificate(void *device, struct certificate *certificate) {
    if (fake.certificate) return fake.certificate;
    certificate->attestation_chain_size = fake.chain_size;
    memcpy(certificate->attestation_chain, fake.chain, sizeof fake.chain);
    return 0;
}
#endif
