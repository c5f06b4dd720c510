package dev.caravan.bench.cluster;

import dev.caravan.model.step.RuntimeSettings;

/** Runtime settings of a test, with checksums always on. */
final class SettingsBuilder {
  private int threads = 1;
  private RuntimeSettings.Kernels kernels = RuntimeSettings.Kernels.SIMD;
  private RuntimeSettings.Activations activations = RuntimeSettings.Activations.F32;
  private RuntimeSettings.KvType kv = RuntimeSettings.KvType.F32;
  private RuntimeSettings.Sync sync = RuntimeSettings.Sync.F32;
  private RuntimeSettings.Collective collective = RuntimeSettings.Collective.AUTO;
  private int batchRows = 64;
  private int kvBlocks = 64;
  private int contextLength = 1024;

  SettingsBuilder threads(int count) {
    threads = count;
    return this;
  }

  SettingsBuilder kernels(RuntimeSettings.Kernels value) {
    kernels = value;
    return this;
  }

  SettingsBuilder activations(RuntimeSettings.Activations value) {
    activations = value;
    return this;
  }

  SettingsBuilder kv(RuntimeSettings.KvType value) {
    kv = value;
    return this;
  }

  SettingsBuilder sync(RuntimeSettings.Sync value) {
    sync = value;
    return this;
  }

  SettingsBuilder collective(RuntimeSettings.Collective value) {
    collective = value;
    return this;
  }

  SettingsBuilder batchRows(int rows) {
    batchRows = rows;
    return this;
  }

  SettingsBuilder kvBlocks(int blocks) {
    kvBlocks = blocks;
    return this;
  }

  SettingsBuilder contextLength(int positions) {
    contextLength = positions;
    return this;
  }

  RuntimeSettings build() {
    return new RuntimeSettings(
        threads,
        kernels,
        activations,
        kv,
        sync,
        collective,
        batchRows,
        kvBlocks,
        contextLength,
        true,
        60_000);
  }
}
