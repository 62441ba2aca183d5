"""All measurements of a pipeline, with the settings they were made with."""

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict

from spacy.language import Language

from ..environment import device_name, package_versions
from .measure import threads
from .memory import measure_mentions, measure_soak
from .prediction import measure_prediction, measure_processes
from .training import measure_training
from .workload import Workload, open_workload


@dataclass(frozen=True)
class Plan:
    """What to measure, as the options of `spacy dualre benchmark`."""

    repetitions: int = 5
    limit: int = 0
    threads: int = 0
    prediction: bool = True
    naive_candidates: int = 64
    train: bool = False
    train_batch: int = 32
    soak: int = 0
    mentions: int = 0
    n_process: int = 0


def benchmark(nlp: Language, source: str, data_path: Path, plan: Plan) -> Dict[str, Any]:
    """Measure what the plan asks for, without changing weights. `source` tells where the pipeline is from.

    Returns:
        "settings", and the figures of each part with all repetitions, ready for JSON.

    Raises:
        ValueError: There is nothing to measure.
    """
    workload = open_workload(nlp, data_path, plan.limit)
    report: Dict[str, Any] = {}
    with threads(plan.threads) as n:
        given = {"model": source, "data": str(data_path), "plan": asdict(plan), "threads": n}
        report["settings"] = {**given, **describe(workload)}
        if plan.prediction:
            report["prediction"] = measure_prediction(workload, plan.repetitions, plan.naive_candidates)
        if plan.soak:
            report["soak"] = measure_soak(workload, plan.soak)
        if plan.mentions:
            report["mentions"] = measure_mentions(workload, plan.mentions)
        if plan.n_process:
            report["processes"] = measure_processes(workload, plan.repetitions, plan.n_process)
        if plan.train:
            report["training"] = measure_training(workload, plan.repetitions, plan.train_batch)
    return report


def describe(workload: Workload) -> Dict[str, Any]:
    """The model, its settings, and the machine."""
    rel, network = workload.rel, workload.network
    return {
        "architecture": workload.nlp.config["components"][workload.name]["model"]["@architectures"],
        "parameters": sum(p.numel() for p in network.parameters()),
        "parameters_per_encoder": [sum(p.numel() for p in encoder.parameters()) for encoder in network.encoders()],
        **asdict(rel.model.attrs["run"].settings),
        "max_length": workload.batches.max_length,
        "batch_tokens": workload.batches.batch_tokens,
        "predicates": len(rel.labels),
        "prediction": rel.prediction,
        "cascade": rel.cascade and rel.cascade._asdict(),
        "context": rel.context,
        "device": device_name(workload.device),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": package_versions(),
    }
