"""Every message of the package, in one place, each with a code to search for."""

from spacy.errors import ErrorsWithCodes


class CorpusError(ValueError):
    """A corpus file that cannot be read as its format demands. Names the file and, where there is one, the line."""


class CheckpointError(ValueError):
    """A training cannot go on from its checkpoint."""


class Errors(metaclass=ErrorsWithCodes):
    """What stops the work."""

    # Settings
    DR001 = "'prediction' must be one of {allowed}, not {value!r}."
    DR002 = "'{name}' must be a number from {low} to {high}, not {value!r}."
    DR003 = "'{name}' must be a whole number of at least {low}, not {value!r}."
    DR004 = "'description_mode' must be one of {allowed}, not {value!r}."
    DR005 = '\'type_pairs\' must be "learn", "all" or a list of [subject type, object type] pairs, not {value!r}.'
    DR006 = (
        "'{setting}' names the predicate {label!r}, which the model does not know. It knows: {labels}. "
        "Correct the name or call add_label first."
    )
    DR007 = "'negatives_per_positive' must be a number of at least 0, or null for all negatives, not {value!r}."
    DR008 = "'cascade' must be null or have the two settings 'predicates' and 'negative', not {value!r}."
    DR009 = "'precision' must be one of {allowed}, not {value!r}."
    # Descriptions
    DR020 = "Descriptions must be a JSON object that maps each predicate to a template, not {kind}."
    DR021 = (
        "The description of predicate {predicate!r} is not usable: {problem}. Expected a template with the "
        "placeholders {{subject}} and {{object}}, a list of such templates, or an object that maps "
        '"SUBJECT_TYPE|OBJECT_TYPE" (or "*") to them.'
    )
    DR022 = "Cannot read descriptions from {path}: {problem}"
    DR024 = (
        'The description of the negative predicate {label!r} must hold for every pair of types: give it for "*" too.'
    )
    DR023 = "{label!r} is the name of the negative predicate and cannot be added as a label."
    # Initialisation and training
    DR040 = (
        "'{name}' has no predicates to learn. Give labels through [initialize.components.{name}] or training data "
        "whose reference documents have Doc._.rels set."
    )
    DR041 = (
        "Document {doc}: gold relation with the predicate {label!r}, which the initialised component does not know. "
        "It knows: {labels}. Call add_label({label!r}, description=...) or initialise anew with it."
    )
    DR042 = "'{name}' is not initialised. Train it, load a trained pipeline, or call nlp.initialize() with examples."
    DR043 = (
        "Not one of the {n} gold relations has a candidate, so there is nothing to learn from ({reasons}). "
        "Check spans_key (mentions are read from {source}), the settings of 'candidates', and that the "
        "entities are on the "
        "predicted documents (reader spacy-dualre.RelCorpus.v1 with gold_mentions = true, or with its "
        "annotating_components that find them)."
    )
    DR044 = "The training data names no entity type: the predicted documents have none in {source}."
    # Extension
    DR060 = (
        "Relation {relation!r} refers to a span outside of its document ({problem}). Both arguments must be "
        "non-empty spans of the same Doc."
    )
    DR061 = "Doc._.rels takes an iterable of Relation(subject, predicate, object, score), got {value!r}."
    DR062 = "Doc._.concept_rels is derived from Doc._.rels: set those."
    # Encoder and model
    DR080 = (
        "Cannot load the encoder {name!r}: {problem}\nGive the name of a model on the hub, or a folder that "
        "holds config.json, the "
        "weights and the tokenizer's files."
    )
    DR081 = (
        "The tokenizer of the encoder {name!r} has no classification or separator token. Use an encoder of the "
        "BERT or RoBERTa kind."
    )
    DR082 = "'max_length' must be from {low} to the {limit} pieces that the encoder {name!r} reads, not {value}."
    DR083 = (
        "Cannot read the trained component '{name}' from {path}: {problem}. The folder is incomplete or damaged; "
        "copy or train it again."
    )
    DR085 = "The layers of the encoder {name!r} cannot be told apart, so none can be frozen: set frozen_layers = 0."
    DR086 = "The tokenizer of the encoder {name!r} already has tokens that look like markers, such as {marker!r}."
    DR084 = "The encoder {name!r} has {layers} layers; cannot freeze the lowest {value}."
    DR087 = (
        "The encoder {name!r} does not take positions, so markers cannot stand beside its text: use "
        "spacy-dualre.DualEncoder.v1, or an encoder with absolute positions such as BERT or RoBERTa."
    )
    # Corpora
    DR100 = "{where}: {problem}"
    DR102 = "Unknown {name} {value!r}. Known: {known}."
    DR103 = 'scispaCy is needed for this ({problem}). Install it with: pip install "spacy-dualre[biomed]"'
    DR104 = (
        "Not one mention could be used: {n} were left out ({reasons}), the first at {where}. Check that offsets count "
        "characters from 0 with exclusive ends, into the very text of the file."
    )
    DR105 = (
        "{source}: cannot cut text into tokens and sentences ({problem}). Expected a pipeline, or a config (.cfg) "
        "whose components need no training, with a component that starts sentences, such as the sentencizer."
    )
    # Protocols
    DR110 = (
        "Document {doc}: there are predictions for it, but it is not in the gold standard. Correct the document ids."
    )
    DR111 = "Document {doc}: the protocol '{protocol}' does not know the predicate {label!r}. It knows: {labels}."
    DR112 = (
        "Document {doc}: the mention {text!r} (characters {start} to {end}) has the id {id!r} (span.id_). The protocol "
        "'{protocol}' counts relations by {expected}."
    )
    DR113 = (
        "The counts must be arrays (documents, labels, 3) of the same documents and gold items with at least one "
        "document, not {shapes}."
    )
    DR114 = (
        "Document {doc} occurs {problem}. Documents are told apart by doc.user_data['doc_id'], which "
        "`spacy dualre convert` sets."
    )
    # Commands
    DR120 = "{path}: not found. {hint}"
    DR121 = "Predictions are written in the format of a protocol: name it with --protocol ({known})."
    # Benchmark
    DR130 = "The pipeline {path} has no component 'dual_encoder_rel' to measure. It has: {names}."
    DR131 = (
        "{path}: no candidates in {n} documents, so there is nothing to measure. Check that the documents have "
        "mentions in {source}, of the types that the pipeline was trained on."
    )
    DR132 = (
        "A document of {n} mentions of the types {types} has no candidates: the settings of the component's "
        "'candidates' rule them out."
    )
    # Tuning
    DR140 = "{path}: cannot be written ({problem})."
    DR141 = (
        "The pipeline has no component {name!r} that was made by the factory dual_encoder_rel. Its components: {known}."
        " Name the one that you mean with --component."
    )
    DR142 = "The documents have no gold relations, so there is nothing to tune on. Give annotated ones."
    DR143 = (
        "'{name}' finds no candidates in the documents, so there is nothing to tune on. Check its spans_key and the "
        "settings of 'candidates'."
    )
    DR144 = (
        "'{name}' predicts by the classifier, which reads no descriptions that could be saved. Tune its threshold "
        '(overall or per-predicate), or use prediction "similarity" or "joint".'
    )
    DR145 = "The scorer of '{name}' gives no rels_f, by which the settings are chosen. Use one that does."
    DR146 = (
        "'{name}' finds no relation that is right, so there is nothing that a cascade could keep. Train it further, or "
        "tune its threshold too (overall or per-predicate)."
    )
    # Experiments
    DR150 = "The plan's reference is {reference!r}, which is none of its variants: {variants}."
    DR151 = "The variant's name {name!r} cannot be part of a file's name: use letters, digits, '-', '_' and '.' only."
    DR152 = "The plan's seeds must be whole numbers of at least 0, each once, not {seeds}."
    DR153 = (
        "{where}: {key} must not be set. The plan says it with 'corpus' and 'seeds', and [training.before_update] is "
        "needed to measure the time."
    )
    DR154 = "Variant {name!r}: the config {config} has no setting {key!r}. It has there: {known}."
    DR155 = "{config} with {whose} cannot be used: {problem}"
    DR156 = (
        "{path} was made with other settings ({keys}). Give the plan another output folder, or remove the results that "
        "are to be made anew."
    )
    DR157 = "The run {name} failed ({problem}). Its output is in {log}."
    DR158 = "No result of a run (*.run.json) in {paths}."
    DR159 = "{first} and {second} are results of the same variant and seed. Leave one of them out."
    DR160 = "{path}: results are compared over the same documents and labels, and these are not those of {other}."
    DR161 = 'matplotlib is needed to plot ({problem}). Install it with: pip install "spacy-dualre[plots]"'
    DR162 = "{path}: plots are written as .png, .svg or .pdf."
    DR163 = "{path}: no documents in it to score on."
    # Training that goes on
    DR170 = (
        "{path}: cannot go on from this checkpoint ({problem}). It is damaged, or of other versions of the libraries: "
        "train anew without --resume."
    )
    DR171 = (
        "{path}: the checkpoint is of a training with other settings: {different}. Give those, another --output, or "
        "train anew without --resume."
    )
    DR172 = (
        "The training data are not those of the checkpoint: up to step {step} there were {then} words, now {now}. Give "
        "those, or train anew without --resume."
    )
    # Pipelines, own data and sharing
    DR240 = "{setting} names {name!r}, which is no component of the pipeline. It has: {known}."
    DR241 = "The {what} must be at least one, each once, not: {names}"
    DR242 = "The {what} name {name!r}, which is not among: {known}"
    DR243 = "{path} is there already: remove it, or give another folder."
    DR244 = 'Expected a pair of types such as "CHEMICAL|GENE", not {value!r}.'


class Warnings(metaclass=ErrorsWithCodes):
    """What the user should know, while the work goes on."""

    DW001 = (
        "'{name}': no sentence boundaries in {doc}, so the whole document counts as one sentence. Put a "
        "sentencizer before the component if that is not what you want. This is said once."
    )
    DW002 = (
        "'{name}': no description for {labels}: a plain template is made from the name. A description in plain "
        "language does better."
    )
    DW003 = "'{name}': description given for {labels}, which no gold relation carries. Kept as predicates."
    DW004 = "'{name}': {n} of {total} gold relations have no candidate and count as false negatives: {reasons}."
    DW005 = (
        "'{name}': a training batch has no candidate to learn from. Check spans_key and the "
        "candidates' settings if that is not "
        "what you expect; this is said once."
    )
    DW006 = (
        "'{name}': mentions of the types {types} were not seen at initialisation; pairs with them are not "
        "scored. This is said once per type."
    )
    DW007 = (
        "{n} of {total} sequences ({percent:.1f} %) are longer than {limit} pieces even without context and "
        "were shortened farthest from the mentions, "
        "{mentions} of them within a mention. This is said once."
    )
    DW009 = (
        "Another package has installed Doc._.{attribute}. The component still stores its relations: read them with "
        "{module}.{getter}(doc)."
    )
    DW010 = (
        "Tuned on {n} gold relations only: what suits them need not suit other documents. Tune on more, and look at "
        "the scores of documents that were not tuned on."
    )
    DW011 = "Variant {name!r} is the same as the reference with this config, so it is not run."
    DW008 = "'{name}': no entities in {source} of any of the {n} documents of the training data."
    DW019 = (
        "'{name}': no document of the training data has doc.spans[{key!r}], so the mentions are read from doc.ents. "
        "Check spans_key if that is not what you expect."
    )
