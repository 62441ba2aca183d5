"""All measurements of a pipeline, and what they were made with."""

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict

from spacy.language import Language

from ...models.pytorch.device import default_batch_tokens
from ..environment import device_name, package_versions
from .measure import threads
from .memory import measure_mentions, measure_soak
from .prediction import measure_prediction
from .processes import measure_processes
from .training import measure_training
from .workload import Workload, open_workload


@dataclass(frozen=True)
class Plan:
    """What is measured. 0 or False: not that.

    repetitions: of prediction, training and processes. limit: only the first so many documents; 0: all. threads: of
    torch; 0: as many as it takes. naive_candidates: candidates that the naive way is tried on. train_batch: candidates
    of a training step. soak: documents of the stream. mentions: in one document. n_process: processes.
    """

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
    """The settings and, for each thing that the plan asks for, its figures with all repetitions, ready for JSON.

    source: where the pipeline is from. No weight is changed. Raises ValueError where there is nothing to measure.
    """
    workload = open_workload(nlp, data_path, plan.limit)
    with threads(plan.threads) as n_threads:
        report: Dict[str, Any] = {
            "settings": {
                "model": source,
                "data": str(data_path),
                "plan": asdict(plan),
                "threads": n_threads,
                **describe(workload),
            }
        }
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
    """The model, how it is run, and what it runs on."""
    rel, engine = workload.rel, workload.engine
    network = engine.network
    device = network.device
    return {
        "architecture": workload.nlp.config["components"][workload.name]["model"]["@architectures"],
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "parameters_per_encoder": [sum(p.numel() for p in encoder.parameters()) for encoder in network.encoders()],
        "max_length": engine.max_length,
        "batch_tokens": engine.batch_tokens or default_batch_tokens(device),
        "precision": engine.precision,
        "compiled": engine.compiled,
        "description_memory": engine.memory.capacity,
        "predicates": len(rel.labels),
        "prediction": rel.prediction,
        "cascade": rel.cascade._asdict() if rel.cascade is not None else None,
        "context": rel.context,
        "device": device_name(device),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": package_versions(),
    }
