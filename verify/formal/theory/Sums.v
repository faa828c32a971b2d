(** Dot products of lists, and the logit as one of them. *)

From Coq Require Import ZArith List Lia.
From CosetVerify Require Import Definitions.
Import ListNotations.
Open Scope Z_scope.

(** The activations of all neurons: relu (l + r), neuron by neuron. *)
Fixpoint hidden (l r : list Z) : list Z :=
  match l, r with
  | a :: l', c :: r' => relu (a + c) :: hidden l' r'
  | _, _ => []
  end.

Fixpoint dot (h u : list Z) : Z :=
  match h, u with
  | a :: h', c :: u' => a * c + dot h' u'
  | _, _ => 0
  end.

Lemma relu_nonnegative v : 0 <= relu v.
Proof. unfold relu. lia. Qed.

Lemma hidden_length l : forall r, length r = length l -> length (hidden l r) = length l.
Proof. induction l as [|a l IH]; intros [|c r] E; try discriminate; [reflexivity|]. cbn. f_equal. apply IH. now injection E. Qed.

Lemma hidden_commutes l : forall r, hidden l r = hidden r l.
Proof. induction l as [|a l IH]; intros [|c r]; try reflexivity. cbn [hidden]. now rewrite IH, Z.add_comm. Qed.

(** The sum over i of a definition is the dot product of the rows, when these are as long as there are neurons. *)
Lemma sum_is_dot l : forall r u, length r = length l -> length u = length l ->
  sum (map (fun i => relu (nth i l 0 + nth i r 0) * nth i u 0) (seq 0 (length l))) = dot (hidden l r) u.
Proof.
  induction l as [|a l IH]; intros [|c r] [|v u] E1 E2; try discriminate; [reflexivity|].
  cbn [length seq map sum hidden dot]. unfold sum. cbn [fold_right nth]. f_equal.
  rewrite <- seq_shift, map_map. apply IH; [now injection E1 | now injection E2].
Qed.

(** * General facts about lists *)

Lemma nth_map {S T} (f : S -> T) s d e i : (i < length s)%nat -> nth i (map f s) d = f (nth i s e).
Proof. intros H. rewrite (nth_indep _ d (f e)) by now rewrite map_length. apply map_nth. Qed.

Lemma Forall2_nth {S T} (P : S -> T -> Prop) s t d e i :
  Forall2 P s t -> (i < length s)%nat -> P (nth i s d) (nth i t e).
Proof.
  intros F. revert i. induction F as [|a c s t H F IH]; intros i Hi; cbn in Hi; [lia|].
  destruct i as [|i]; [assumption|]. apply IH. lia.
Qed.

Lemma Forall_nth_default {S} (P : S -> Prop) s d i : Forall P s -> (i < length s)%nat -> P (nth i s d).
Proof. intros F Hi. rewrite Forall_forall in F. apply F. now apply nth_In. Qed.

Lemma Forall2_same_length {S T} (P : S -> T -> Prop) s t : Forall2 P s t -> length s = length t.
Proof. induction 1; cbn; congruence. Qed.

Lemma zip_nth {S T X} (f : S -> T -> X) ds dt dx : forall s t i, (i < length s)%nat -> (i < length t)%nat ->
  nth i (zip f s t) dx = f (nth i s ds) (nth i t dt).
Proof.
  induction s as [|a s IH]; intros [|c t] i H1 H2; cbn [length] in *; try lia.
  destruct i as [|i]; [reflexivity|]. cbn [zip nth]. apply IH; lia.
Qed.

Lemma zip_length {S T X} (f : S -> T -> X) : forall s t, length s = length t -> length (zip f s t) = length s.
Proof. induction s as [|a s IH]; intros [|c t] H; try discriminate; [reflexivity|]. cbn. f_equal. apply IH. now injection H. Qed.
