package dev.caravan.bench.cluster;

import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.List;

/**
 * One step of the engine as it was measured.
 *
 * @param nanos of the whole step: scheduling, workers, network, sampling
 * @param rows computed
 * @param decode true if every sequence computed one row that continues its output
 * @param workers what each worker spent, in the plan's order
 */
public record StepSample(long nanos, int rows, boolean decode, List<WorkerTimes> workers) {}
