package dev.caravan.bench;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;

/**
 * The rules that say where a thing goes. They live in bench, the only module that sees all others.
 */
@AnalyzeClasses(packages = "dev.caravan", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
  private static final String[] TRANSPORT = {
    "io.grpc..", "com.google.protobuf..", "io.netty..", "com.linecorp.armeria.."
  };

  @ArchTest
  static final ArchRule modelKnowsNobody =
      noClasses()
          .that()
          .resideInAPackage("dev.caravan.model..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.caravan.proto..",
              "dev.caravan.worker..",
              "dev.caravan.coordinator..",
              "io.grpc..",
              "com.google.protobuf..",
              "io.netty..");

  @ArchTest
  static final ArchRule workerDoesNotKnowCoordinator =
      noClasses()
          .that()
          .resideInAPackage("dev.caravan.worker..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.caravan.coordinator..");

  @ArchTest
  static final ArchRule coordinatorDoesNotKnowWorker =
      noClasses()
          .that()
          .resideInAPackage("dev.caravan.coordinator..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.caravan.worker..");

  @ArchTest
  static final ArchRule vectorsOnlyInSimdKernelsAndTheYardstick =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "dev.caravan.worker.kernel.simd..", "dev.caravan.bench.machine..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jdk.incubator.vector..");

  @ArchTest
  static final ArchRule computeAndDecisionsKnowNoTransport =
      noClasses()
          .that()
          .resideInAnyPackage(
              "dev.caravan.worker.layer..",
              "dev.caravan.worker.kernel..",
              "dev.caravan.worker.tensor..",
              "dev.caravan.worker.kvcache..",
              "dev.caravan.worker.load..",
              "dev.caravan.coordinator.schedule..",
              "dev.caravan.coordinator.cluster..",
              "dev.caravan.coordinator.generate..",
              "dev.caravan.coordinator.metrics..",
              "dev.caravan.coordinator.sample..",
              "dev.caravan.coordinator.structure..",
              "dev.caravan.coordinator.text..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(TRANSPORT);

  @ArchTest
  static final ArchRule httpOnlyInTheApiAndThePage =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "dev.caravan.coordinator.api..", "dev.caravan.coordinator.page..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.linecorp.armeria..");

  @ArchTest
  static final ArchRule textsKnowNoHttp =
      noClasses()
          .that()
          .resideInAPackage("dev.caravan.coordinator.api.text..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("com.linecorp.armeria..", "io.grpc..");

  @ArchTest
  static final ArchRule kernelsKnowNoLayers =
      noClasses()
          .that()
          .resideInAnyPackage("dev.caravan.worker.kernel..", "dev.caravan.worker.tensor..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.caravan.worker.layer..", "dev.caravan.worker.load..");

  @ArchTest
  static final ArchRule noCyclesInModel =
      slices().matching("dev.caravan.model.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule noCyclesInWorker =
      slices().matching("dev.caravan.worker.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule noCyclesInCoordinator =
      slices().matching("dev.caravan.coordinator.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule everyPackageIsNullMarked =
      classes()
          .that()
          .resideOutsideOfPackages(
              "dev.caravan.bench..jmh_generated..",
              "dev.caravan.proto.generation..",
              "dev.caravan.proto.membership..",
              "dev.caravan.proto.worker..")
          .should(
              new ArchCondition<>("be in a null-marked package") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                  boolean marked =
                      type.getPackage().isAnnotatedWith("org.jspecify.annotations.NullMarked");
                  events.add(
                      new SimpleConditionEvent(
                          type, marked, type.getName() + " is not in a null-marked package"));
                }
              });
}
