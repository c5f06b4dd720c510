package dev.caravan.model.checkpoint;

import static dev.caravan.model.checkpoint.Failures.assertCorrupt;
import static dev.caravan.model.checkpoint.Failures.assertInvalid;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufHeaderParserTest {
  private static final int F32 = 0;

  @TempDir Path directory;

  @Test
  void parsesEveryTypeOfNumber() throws IOException {
    GgufBytes bytes =
        GgufBytes.header(0, 11)
            .key("u8", GgufValueType.UINT8)
            .u8(200)
            .key("i8", GgufValueType.INT8)
            .u8(200)
            .key("u16", GgufValueType.UINT16)
            .u16(50_000)
            .key("i16", GgufValueType.INT16)
            .u16(50_000)
            .key("u32", GgufValueType.UINT32)
            .u32(-1)
            .key("i32", GgufValueType.INT32)
            .u32(-1)
            .key("f32", GgufValueType.FLOAT32)
            .u32(Float.floatToIntBits(0.5f))
            .key("bool", GgufValueType.BOOL)
            .u8(1)
            .key("u64", GgufValueType.UINT64)
            .u64(-1)
            .key("i64", GgufValueType.INT64)
            .u64(-1)
            .key("f64", GgufValueType.FLOAT64)
            .u64(Double.doubleToLongBits(0.1));
    try (MappedFile mapped = MappedFile.open(bytes.write(file()))) {
      GgufHeader header = new GgufHeaderParser(mapped).parse();
      assertThat(header.metadata())
          .containsEntry("u8", 200L)
          .containsEntry("i8", -56L)
          .containsEntry("u16", 50_000L)
          .containsEntry("i16", -15_536L)
          .containsEntry("u32", 4_294_967_295L)
          .containsEntry("i32", -1L)
          .containsEntry("f32", 0.5)
          .containsEntry("bool", true)
          .containsEntry("u64", new BigInteger("18446744073709551615"))
          .containsEntry("i64", -1L)
          .containsEntry("f64", 0.1);
    }
  }

  @Test
  void parsesStringsAndArraysOfThem() throws IOException {
    GgufBytes bytes = GgufBytes.header(0, 2);
    bytes.key("string", GgufValueType.STRING).string("Grüße");
    bytes.key("array", GgufValueType.ARRAY).u32(GgufValueType.STRING.ordinal());
    bytes.u64(2).string("a").string("b");
    try (MappedFile mapped = MappedFile.open(bytes.write(file()))) {
      GgufHeader header = new GgufHeaderParser(mapped).parse();
      assertThat(header.metadata()).containsEntry("string", "Grüße");
      assertThat(array(header, "array").strings()).containsExactly("a", "b");
    }
  }

  @Test
  void readsVersion2() throws IOException {
    assertThat(parse(new GgufBytes().raw("GGUF").u32(2).u64(0).u64(0)).version()).isEqualTo(2);
  }

  @Test
  void stepsOverNestedArrays() throws IOException {
    int array = GgufValueType.ARRAY.ordinal();
    GgufBytes bytes = GgufBytes.header(0, 2).key("nested", GgufValueType.ARRAY);
    bytes.u32(array).u64(2);
    bytes.u32(GgufValueType.UINT8.ordinal()).u64(3).raw(new byte[3]);
    bytes.u32(GgufValueType.STRING.ordinal()).u64(1).string("x");
    bytes.key("after", GgufValueType.UINT8).u8(7);
    assertThat(parse(bytes).metadata()).containsEntry("after", 7L);
  }

  @Test
  void refusesVersion1() {
    assertInvalid(
        () -> parse(new GgufBytes().raw("GGUF").u32(1).u32(0).u32(0)), "version 1", "2 and 3");
  }

  @Test
  void refusesBigEndian() {
    assertInvalid(() -> parse(new GgufBytes().raw("GGUF").u32(3 << 24).u64(0)), "big-endian");
  }

  @Test
  void refusesAnUnknownElementTypeByNumber() {
    assertInvalid(() -> parse(GgufBytes.header(1, 0).tensor("t", 99, 0, 32)), "tensor t", "99");
  }

  @Test
  void refusesAnElementTypeWithoutKernelsByName() {
    assertInvalid(
        () -> parse(GgufBytes.header(1, 0).tensor("blk.0.x", 16, 0, 256)),
        "tensor blk.0.x",
        "IQ2_XXS",
        "Q4_K_M");
  }

  @Test
  void everyTruncationOfAHeaderIsReported() throws IOException {
    byte[] whole =
        GgufBytes.header(1, 2)
            .key("name", GgufValueType.STRING)
            .string("value")
            .key("array", GgufValueType.ARRAY)
            .u32(GgufValueType.STRING.ordinal())
            .u64(2)
            .string("a")
            .string("b")
            .tensor("t", F32, 0, 8)
            .toBytes();
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertCorrupt(() -> parse(cut), file().toString(), "at byte");
    }
  }

  @Test
  void absurdTensorCount() {
    assertCorrupt(
        () -> parse(GgufBytes.header(1L << 60, 0)), "tensor count", "1152921504606846976 tensors");
  }

  @Test
  void negativeTensorCountIsShownUnsigned() {
    assertCorrupt(() -> parse(GgufBytes.header(-1, 0)), "18446744073709551615 tensors");
  }

  @Test
  void absurdMetadataCount() {
    assertCorrupt(() -> parse(GgufBytes.header(0, 1L << 40)), "1099511627776 metadata entries");
  }

  @Test
  void absurdKeyLength() {
    assertCorrupt(
        () -> parse(GgufBytes.header(0, 1).u64(Long.MAX_VALUE).raw(new byte[20])),
        "key of metadata entry 0",
        "9223372036854775807 string bytes");
  }

  @Test
  void absurdStringLengthInAnArray() {
    GgufBytes bytes =
        GgufBytes.header(0, 1)
            .key("list", GgufValueType.ARRAY)
            .u32(GgufValueType.STRING.ordinal())
            .u64(1)
            .u64(1L << 50);
    assertCorrupt(() -> parse(bytes), "metadata list", "1125899906842624 string bytes");
  }

  @Test
  void absurdArrayLength() {
    GgufBytes bytes =
        GgufBytes.header(0, 1)
            .key("list", GgufValueType.ARRAY)
            .u32(GgufValueType.FLOAT64.ordinal())
            .u64(1L << 61);
    assertCorrupt(() -> parse(bytes), "metadata list", "2305843009213693952 array elements");
  }

  @Test
  void arraysNestedTooDeeply() {
    GgufBytes bytes = GgufBytes.header(0, 1).key("deep", GgufValueType.ARRAY);
    for (int depth = 0; depth < 1000; depth++) {
      bytes.u32(GgufValueType.ARRAY.ordinal()).u64(1);
    }
    bytes.raw(new byte[100]);
    assertCorrupt(() -> parse(bytes), "metadata deep", "nested deeper than 4");
  }

  @Test
  void unknownValueType() {
    assertCorrupt(() -> parse(GgufBytes.header(0, 1).string("k").u32(13).u64(0)), "value type 13");
  }

  @Test
  void booleanThatIsNeither() {
    assertCorrupt(() -> parse(GgufBytes.header(0, 1).key("b", GgufValueType.BOOL).u8(2)), "is 2");
  }

  @Test
  void keyThatAppearsTwice() {
    GgufBytes bytes = GgufBytes.header(0, 2);
    bytes.key("k", GgufValueType.UINT8).u8(1).key("k", GgufValueType.UINT8).u8(1);
    assertCorrupt(() -> parse(bytes), "metadata k", "twice");
  }

  @Test
  void tensorThatAppearsTwice() {
    assertCorrupt(
        () -> parse(GgufBytes.header(2, 0).tensor("t", F32, 0, 8).tensor("t", F32, 32, 8)),
        "tensor t",
        "twice");
  }

  @Test
  void stringThatIsNotUtf8() {
    GgufBytes bytes = GgufBytes.header(0, 1).key("s", GgufValueType.STRING);
    bytes.u64(2).raw(new byte[] {(byte) 0xC3, 0x28});
    assertCorrupt(() -> parse(bytes), "metadata s", "not UTF-8");
  }

  @Test
  void arrayStringThatIsNotUtf8IsReportedWhenRead() throws IOException {
    GgufBytes bytes = GgufBytes.header(0, 1).key("s", GgufValueType.ARRAY);
    bytes.u32(GgufValueType.STRING.ordinal()).u64(1).u64(1).raw(new byte[] {(byte) 0xFF});
    try (MappedFile mapped = MappedFile.open(bytes.write(file()))) {
      GgufHeader header = new GgufHeaderParser(mapped).parse();
      GgufArray array = array(header, "s");
      assertCorrupt(array::strings, "metadata s", "not UTF-8");
      assertCorrupt(array::floats, "array of STRING");
    }
  }

  @Test
  void dimensionsWhoseProductOverflows() {
    assertCorrupt(
        () -> parse(GgufBytes.header(1, 0).tensor("t", F32, 0, 8, 1L << 40, 1L << 40)),
        "tensor t",
        "multiply");
  }

  @Test
  void dimensionsBeyondTheFile() {
    for (long size : new long[] {1L << 20, 1L << 62, Long.MAX_VALUE}) {
      assertCorrupt(
          () -> parse(GgufBytes.header(1, 0).tensor("t", F32, 0, size)), "tensor t", "file of");
      assertCorrupt(
          () -> parse(GgufBytes.header(1, 0).tensor("t", F32, 0, 8, size)), "tensor t", "file of");
    }
  }

  @Test
  void dimensionOfZero() {
    assertCorrupt(() -> parse(GgufBytes.header(1, 0).tensor("t", F32, 0, 8, 0)), "dimension of 0");
  }

  @Test
  void tooManyDimensions() {
    assertCorrupt(
        () -> parse(GgufBytes.header(1, 0).tensor("t", F32, 0, 1, 1, 1, 1, 1)), "5 dimensions");
  }

  @Test
  void rowsThatAreNotWholeBlocks() {
    assertCorrupt(
        () -> parse(GgufBytes.header(1, 0).tensor("t", 8, 0, 33, 2)),
        "tensor t",
        "33 elements",
        "Q8_0 blocks of 32");
  }

  private GgufArray array(GgufHeader header, String key) {
    return new GgufMetadata(file(), header.metadata()).requiredArray(key);
  }

  private GgufHeader parse(GgufBytes bytes) throws IOException {
    return parse(bytes.toBytes());
  }

  private GgufHeader parse(byte[] bytes) throws IOException {
    Files.write(file(), bytes);
    try (MappedFile mapped = MappedFile.open(file())) {
      return new GgufHeaderParser(mapped).parse();
    }
  }

  private Path file() {
    return directory.resolve("model.gguf");
  }
}
