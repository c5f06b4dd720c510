package dev.caravan.proto.wire;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.proto.worker.v1.ActivationType;
import dev.caravan.proto.worker.v1.CollectiveType;
import dev.caravan.proto.worker.v1.KernelType;
import dev.caravan.proto.worker.v1.KvType;
import dev.caravan.proto.worker.v1.SyncType;

/** {@link RuntimeSettings} to and from its message. */
public final class SettingsCodec {
  private SettingsCodec() {}

  public static dev.caravan.proto.worker.v1.RuntimeSettings encode(RuntimeSettings settings) {
    return dev.caravan.proto.worker.v1.RuntimeSettings.newBuilder()
        .setThreads(settings.threads())
        .setKernels(
            switch (settings.kernels()) {
              case UNPACKED -> KernelType.KERNEL_TYPE_UNPACKED;
              case SIMD -> KernelType.KERNEL_TYPE_SIMD;
              case SCALAR -> KernelType.KERNEL_TYPE_SCALAR;
            })
        .setActivations(
            switch (settings.activations()) {
              case AUTO -> ActivationType.ACTIVATION_TYPE_AUTO;
              case F32 -> ActivationType.ACTIVATION_TYPE_F32;
              case INT8 -> ActivationType.ACTIVATION_TYPE_INT8;
            })
        .setKv(
            switch (settings.kv()) {
              case F16 -> KvType.KV_TYPE_F16;
              case F32 -> KvType.KV_TYPE_F32;
              case Q8 -> KvType.KV_TYPE_Q8;
            })
        .setSync(
            switch (settings.sync()) {
              case F32 -> SyncType.SYNC_TYPE_F32;
              case BF16 -> SyncType.SYNC_TYPE_BF16;
              case Q8 -> SyncType.SYNC_TYPE_Q8;
            })
        .setCollective(
            switch (settings.collective()) {
              case AUTO -> CollectiveType.COLLECTIVE_TYPE_AUTO;
              case DIRECT -> CollectiveType.COLLECTIVE_TYPE_DIRECT;
              case SCATTER -> CollectiveType.COLLECTIVE_TYPE_SCATTER;
            })
        .setMaxBatchRows(settings.maxBatchRows())
        .setKvBlocks(settings.kvBlocks())
        .setContextLength(settings.contextLength())
        .setChecksums(settings.checksums())
        .setStepDeadlineMillis(settings.stepDeadlineMillis())
        .build();
  }

  /**
   * @throws ClusterException INVALID_REQUEST if a value is missing or not known
   */
  public static RuntimeSettings decode(dev.caravan.proto.worker.v1.RuntimeSettings message) {
    return new RuntimeSettings(
        message.getThreads(),
        switch (message.getKernels()) {
          case KERNEL_TYPE_UNPACKED -> RuntimeSettings.Kernels.UNPACKED;
          case KERNEL_TYPE_SIMD -> RuntimeSettings.Kernels.SIMD;
          case KERNEL_TYPE_SCALAR -> RuntimeSettings.Kernels.SCALAR;
          case KERNEL_TYPE_UNSPECIFIED, UNRECOGNIZED -> throw unknown(message.getKernels());
        },
        switch (message.getActivations()) {
          case ACTIVATION_TYPE_AUTO -> RuntimeSettings.Activations.AUTO;
          case ACTIVATION_TYPE_F32 -> RuntimeSettings.Activations.F32;
          case ACTIVATION_TYPE_INT8 -> RuntimeSettings.Activations.INT8;
          case ACTIVATION_TYPE_UNSPECIFIED, UNRECOGNIZED -> throw unknown(message.getActivations());
        },
        switch (message.getKv()) {
          case KV_TYPE_F16 -> RuntimeSettings.KvType.F16;
          case KV_TYPE_F32 -> RuntimeSettings.KvType.F32;
          case KV_TYPE_Q8 -> RuntimeSettings.KvType.Q8;
          case KV_TYPE_UNSPECIFIED, UNRECOGNIZED -> throw unknown(message.getKv());
        },
        switch (message.getSync()) {
          case SYNC_TYPE_F32 -> RuntimeSettings.Sync.F32;
          case SYNC_TYPE_BF16 -> RuntimeSettings.Sync.BF16;
          case SYNC_TYPE_Q8 -> RuntimeSettings.Sync.Q8;
          case SYNC_TYPE_UNSPECIFIED, UNRECOGNIZED -> throw unknown(message.getSync());
        },
        switch (message.getCollective()) {
          case COLLECTIVE_TYPE_AUTO -> RuntimeSettings.Collective.AUTO;
          case COLLECTIVE_TYPE_DIRECT -> RuntimeSettings.Collective.DIRECT;
          case COLLECTIVE_TYPE_SCATTER -> RuntimeSettings.Collective.SCATTER;
          case COLLECTIVE_TYPE_UNSPECIFIED, UNRECOGNIZED -> throw unknown(message.getCollective());
        },
        message.getMaxBatchRows(),
        message.getKvBlocks(),
        message.getContextLength(),
        message.getChecksums(),
        message.getStepDeadlineMillis());
  }

  private static ClusterException unknown(Enum<?> value) {
    return new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "runtime settings hold %s, which this version does not know".formatted(value));
  }
}
