(** Arithmetic in 63-bit machine integers. Sums and products wrap around; what is compared at the end is known
    to be small, so nothing is lost. *)

From Coq Require Import ZArith List Lia Bool Uint63.
From CosetVerify Require Import Definitions Sums.
Import ListNotations.
Open Scope Z_scope.

Definition half : int := Eval compute in (1 << 62)%uint63.

Lemma half_spec : φ (half)%uint63 = 2 ^ 62.
Proof. reflexivity. Qed.

Lemma wB_value : wB = 2 ^ 63.
Proof. reflexivity. Qed.

Lemma machine_bounds v : 0 <= φ (v)%uint63 < 2 ^ 63.
Proof. exact (to_Z_bounded v). Qed.

(** Two readings of a word, signed or not, agree modulo 2^63. *)
Lemma signed_residue v : φ (v)%uint63 = signed v mod 2 ^ 63.
Proof.
  unfold signed. pose proof (machine_bounds v). destruct (Z.ltb_spec (φ (v)%uint63) (2 ^ 62)).
  - now rewrite Z.mod_small.
  - rewrite <- (Z.mod_add _ 1) by lia. rewrite Z.mod_small; lia.
Qed.

Lemma signed_bounds v : - 2 ^ 62 <= signed v < 2 ^ 62.
Proof. unfold signed. pose proof (machine_bounds v). destruct (Z.ltb_spec (φ (v)%uint63) (2 ^ 62)); lia. Qed.

(** A number that is small enough is known from its residue. *)
Lemma signed_unique v z : - 2 ^ 62 <= z < 2 ^ 62 -> φ (v)%uint63 = z mod 2 ^ 63 -> signed v = z.
Proof.
  intros Hz E. unfold signed. rewrite E. destruct (Z.leb_spec 0 z).
  - rewrite Z.mod_small by lia. destruct (Z.ltb_spec z (2 ^ 62)); lia.
  - rewrite <- (Z.mod_add z 1) by lia. rewrite Z.mod_small by lia.
    destruct (Z.ltb_spec (z + 1 * 2 ^ 63) (2 ^ 62)); lia.
Qed.

Lemma of_Z_signed z : - 2 ^ 62 <= z < 2 ^ 62 -> signed (of_Z z) = z.
Proof. intros H. apply signed_unique; [assumption|]. apply of_Z_spec. Qed.

Definition relu63 (v : int) : int := if (v <? half)%uint63 then v else 0%uint63.

Lemma relu63_spec v : signed (relu63 v) = relu (signed v).
Proof.
  unfold relu63, relu. pose proof (machine_bounds v).
  destruct (ltbP v half) as [H1|H1]; rewrite half_spec in H1; unfold signed at 2;
    destruct (Z.ltb_spec (φ (v)%uint63) (2 ^ 62)); try lia.
  - unfold signed. destruct (Z.ltb_spec (φ (v)%uint63) (2 ^ 62)); lia.
  - change (signed 0%uint63) with 0. lia.
Qed.

Lemma add_signed a c : Z.abs (signed a + signed c) < 2 ^ 62 -> signed (a + c)%uint63 = signed a + signed c.
Proof.
  intros H. apply signed_unique; [lia|].
  rewrite add_spec, wB_value, (signed_residue a), (signed_residue c). symmetry. apply Zplus_mod.
Qed.

(** Absolute values and comparisons of signed numbers, without unfolding them into bits. *)
Definition abs63 (v : int) : int := if (v <? half)%uint63 then v else (0 - v)%uint63.
Definition max63 (a c : int) : int := if (a <? c)%uint63 then c else a.
Definition less63 (a c : int) : bool := (a + half <? c + half)%uint63.
Definition at_most63 (a c : int) : bool := (a + half <=? c + half)%uint63.

Lemma abs63_spec v : φ (abs63 v)%uint63 = Z.abs (signed v).
Proof.
  unfold abs63, signed. pose proof (machine_bounds v). destruct (ltbP v half) as [H1|H1]; rewrite half_spec in H1;
    destruct (Z.ltb_spec (φ (v)%uint63) (2 ^ 62)); try lia.
  rewrite sub_spec, wB_value. change (φ (0)%uint63) with 0.
  rewrite <- (Z.mod_add _ 1), Z.mod_small by lia. lia.
Qed.

Lemma max63_spec a c : φ (max63 a c)%uint63 = Z.max (φ (a)%uint63) (φ (c)%uint63).
Proof. unfold max63. destruct (ltbP a c); lia. Qed.

Lemma above_half v : φ (v + half)%uint63 = signed v + 2 ^ 62.
Proof.
  pose proof (signed_bounds v). rewrite add_spec, half_spec, wB_value, signed_residue, Zplus_mod_idemp_l.
  apply Z.mod_small. lia.
Qed.

Lemma less63_spec a c : less63 a c = (signed a <? signed c).
Proof.
  unfold less63. destruct (ltbP (a + half)%uint63 (c + half)%uint63) as [H|H]; rewrite !above_half in H;
    destruct (Z.ltb_spec (signed a) (signed c)); lia.
Qed.

Lemma at_most63_spec a c : at_most63 a c = (signed a <=? signed c).
Proof.
  unfold at_most63. destruct (lebP (a + half)%uint63 (c + half)%uint63) as [H|H]; rewrite !above_half in H;
    destruct (Z.leb_spec (signed a) (signed c)); lia.
Qed.

(** [hidden] and [dot] on machine integers; the dot product is added to [acc]. *)
Fixpoint hidden63 (l r : list int) : list int :=
  match l, r with
  | a :: l', c :: r' => relu63 (a + c)%uint63 :: hidden63 l' r'
  | _, _ => []
  end.

Fixpoint dot63 (acc : int) (h u : list int) : int :=
  match h, u with
  | a :: h', c :: u' => dot63 (acc + a * c)%uint63 h' u'
  | _, _ => acc
  end.

(** The bound A of all entries of a list. *)
Definition within (A : Z) (v : int) : Prop := Z.abs (signed v) <= A.

Lemma hidden63_spec A l r : 2 * A < 2 ^ 62 -> Forall (within A) l -> Forall (within A) r ->
  map signed (hidden63 l r) = hidden (map signed l) (map signed r).
Proof.
  intros HA Fl. revert r. induction Fl as [|a l Ha Fl IH]; intros r Fr; [reflexivity|].
  destruct Fr as [|c r Hc Fr]; [reflexivity|]. unfold within in *.
  cbn [hidden63 map hidden]. rewrite relu63_spec, add_signed by lia. now rewrite IH.
Qed.

Lemma dot63_spec h : forall u acc,
  φ (dot63 acc h u)%uint63 = (signed acc + dot (map signed h) (map signed u)) mod 2 ^ 63.
Proof.
  induction h as [|a h IH]; intros [|c u] acc; cbn [dot63 map dot]; try (rewrite Z.add_0_r; apply signed_residue).
  rewrite IH. rewrite Z.add_assoc. rewrite <- (Zplus_mod_idemp_l (signed _)), <- signed_residue.
  rewrite add_spec, mul_spec, wB_value, (signed_residue acc), (signed_residue a), (signed_residue c).
  rewrite <- Zmult_mod, <- Zplus_mod. apply Zplus_mod_idemp_l.
Qed.

(** The first word leads the second one by more than [slack], both read as signed numbers. *)
Definition beats (slack first second : int) : bool :=
  let d := (first - second)%uint63 in ((slack <? d) && (d <? half))%uint63.

Lemma beats_spec slack first second p q :
  φ (first)%uint63 = p mod 2 ^ 63 -> φ (second)%uint63 = q mod 2 ^ 63 -> Z.abs (p - q) < 2 ^ 62 ->
  beats slack first second = true -> φ (slack)%uint63 < p - q.
Proof.
  intros Hp Hq Hd H. unfold beats in H. apply andb_true_iff in H as [H1 H2].
  apply ltb_spec in H1. apply ltb_spec in H2. rewrite half_spec in H2.
  rewrite sub_spec, wB_value, Hp, Hq, <- Zminus_mod in H1, H2. pose proof (machine_bounds slack).
  destruct (Z.leb_spec 0 (p - q)).
  - rewrite Z.mod_small in H1 by lia. lia.
  - rewrite <- (Z.mod_add (p - q) 1) in H2 by lia. rewrite Z.mod_small in H2 by lia. lia.
Qed.

(** * Bounds that keep sums from wrapping around *)

Lemma hidden_bound A l : forall r, Forall (fun v => Z.abs v <= A) l -> Forall (fun v => Z.abs v <= A) r ->
  Forall (fun v => 0 <= v <= 2 * A) (hidden l r).
Proof.
  induction l as [|a l IH]; intros [|c r] Fl Fr; cbn [hidden]; try constructor.
  - inversion_clear Fl as [|? ? Ha Fl']. inversion_clear Fr as [|? ? Hc Fr']. unfold relu. lia.
  - inversion_clear Fl as [|? ? Ha Fl']. inversion_clear Fr as [|? ? Hc Fr']. now apply IH.
Qed.

Lemma dot_bound H V h : forall u, 0 <= H -> 0 <= V ->
  Forall (fun v => 0 <= v <= H) h -> Forall (fun v => Z.abs v <= V) u ->
  Z.abs (dot h u) <= Z.of_nat (length h) * (H * V).
Proof.
  induction h as [|a h IH]; intros [|c u] H0 V0 Fh Fu; cbn [dot length];
    try (change (Z.abs 0) with 0; apply Z.mul_nonneg_nonneg; [lia | now apply Z.mul_nonneg_nonneg]).
  inversion_clear Fh as [|? ? Ha Fh']. inversion_clear Fu as [|? ? Hc Fu'].
  specialize (IH u H0 V0 Fh' Fu'). rewrite Nat2Z.inj_succ.
  assert (Z.abs (a * c) <= H * V).
  { rewrite Z.abs_mul, (Z.abs_eq a) by lia. apply Z.mul_le_mono_nonneg; lia. }
  lia.
Qed.
