(** Theorem 2 of docs/compact-proofs.md: what it may cost the right answer that activations and votes are replaced
    by coarse ones, for one pair of inputs and all rivals at once. *)

From Coq Require Import ZArith List Lia Bool Arith Uint63.
From CosetVerify Require Import Definitions Sums Machine.
Import ListNotations.
Open Scope Z_scope.

(** Coarse activations: those of other input weights g, cut down by 2^s. *)
Definition coarse (s : Z) (g r : list Z) : list Z := map (fun v => v / 2 ^ s) (hidden g r).

(** Exact activations h, coarse ones c, votes u of the answer, votes of all rivals between [least] and [most]: a
    neuron that fires less than the coarse one loses what the answer has above the least vote, a neuron that fires
    more loses what the answer has below the greatest one. *)
Fixpoint loss (s : Z) (h c u most least : list Z) : Z :=
  match h, c, u, most, least with
  | a :: h', e :: c', w :: u', p :: most', q :: least' =>
      (if a <? e * 2 ^ s then (e * 2 ^ s - a) * (w - q) else (a - e * 2 ^ s) * (p - w)) + loss s h' c' u' most' least'
  | _, _, _, _, _ => 0
  end.

Lemma loss_spec s h : forall c u v most least,
  length c = length h -> length u = length h -> Forall2 Z.le v most -> Forall2 Z.le least v -> length v = length h ->
  2 ^ s * (dot c u - dot c v) - loss s h c u most least <= dot h u - dot h v.
Proof.
  induction h as [|a h IH]; intros [|e c] [|w u] [|t v] most least E1 E2 F1 F2 E3; try discriminate E1;
    try discriminate E2; try discriminate E3.
  - cbn. lia.
  - inversion F1 as [|? p ? most' Hp F1']; subst. inversion F2 as [|q ? least' ? Hq F2']; subst.
    specialize (IH c u v most' least' ltac:(now injection E1) ltac:(now injection E2) F1' F2' ltac:(now injection E3)).
    cbn [dot loss].
    assert (K : 2 ^ s * (e * w - e * t) - (if a <? e * 2 ^ s then (e * 2 ^ s - a) * (w - q) else (a - e * 2 ^ s) * (p - w))
      <= a * w - a * t).
    { replace (2 ^ s * (e * w - e * t)) with (e * 2 ^ s * (w - t)) by ring.
      set (m := e * 2 ^ s). clearbody m. destruct (Z.ltb_spec a m); nia. }
    set (one := if a <? e * 2 ^ s then _ else _) in *. clearbody one.
    set (k := 2 ^ s) in *. set (cu := dot c u) in *. set (cv := dot c v) in *. clearbody k cu cv.
    replace (k * (e * w + cu - (e * t + cv))) with (k * (e * w - e * t) + k * (cu - cv)) by ring. lia.
Qed.

(** Votes cut down by 2^t: for coarse activations, whose sum is given. *)
Lemma coarse_votes_spec t c : forall u v, 0 <= t -> Forall (fun e => 0 <= e) c -> length u = length c -> length v = length c ->
  2 ^ t * (dot c (map (fun w => w / 2 ^ t) u) - dot c (map (fun w => w / 2 ^ t) v) - sum c) <= dot c u - dot c v.
Proof.
  induction c as [|e c IH]; intros [|w u] [|x v] Ht F E1 E2; try discriminate.
  - unfold sum. cbn. lia.
  - inversion_clear F as [|? ? He F'].
    specialize (IH u v Ht F' ltac:(now injection E1) ltac:(now injection E2)).
    cbn [map dot]. unfold sum in *. cbn [fold_right].
    assert (P : 0 < 2 ^ t) by now apply Z.pow_pos_nonneg.
    pose proof (Z.div_mod w (2 ^ t) ltac:(lia)) as Dw. pose proof (Z.mod_pos_bound w (2 ^ t) P) as Mw.
    pose proof (Z.div_mod x (2 ^ t) ltac:(lia)) as Dx. pose proof (Z.mod_pos_bound x (2 ^ t) P) as Mx.
    set (k := 2 ^ t) in *. set (a := w / k) in *. set (b := x / k) in *. set (mw := w mod k) in *. set (mx := x mod k) in *.
    clearbody k a b mw mx. subst w x.
    assert (Q : k * (e * a - e * b - e) <= e * (k * a + mw) - e * (k * b + mx)).
    { assert (0 <= e * (k + mw - mx)) by (apply Z.mul_nonneg_nonneg; lia). nia. }
    set (S1 := dot c (map (fun w => w / k) u)) in *. set (S2 := dot c (map (fun w => w / k) v)) in *.
    clearbody S1 S2. rewrite !Z.mul_sub_distr_l, !Z.mul_add_distr_l in *. lia.
Qed.

(** * The same on machine integers *)

Fixpoint coarse63 (s : int) (g r : list int) : list int :=
  match g, r with
  | a :: g', c :: r' => (relu63 (a + c) >> s)%uint63 :: coarse63 s g' r'
  | _, _ => []
  end.

(** The loss and the sum of coarse activations, added to [acc] and [fired]: input weights l of x and g that stand for
    them, weights r of y. *)
Fixpoint loss63 (s : int) (acc fired : int) (l g r u most least : list int) : int * int :=
  match l, g, r, u, most, least with
  | a :: l', b :: g', c :: r', w :: u', p :: most', q :: least' =>
      let h := relu63 (a + c)%uint63 in
      let e := (relu63 (b + c) >> s)%uint63 in
      let k := (e << s)%uint63 in
      let one := (if h <? k then (k - h) * (w - q) else (h - k) * (p - w))%uint63 in
      loss63 s (acc + one)%uint63 (fired + e)%uint63 l' g' r' u' most' least'
  | _, _, _, _, _, _ => (acc, fired)
  end.

Lemma shift_spec s v : 0 <= s < 62 -> 0 <= signed v -> signed (v >> of_Z s)%uint63 = signed v / 2 ^ s.
Proof.
  intros Hs Hv. assert (E : φ (v)%uint63 = signed v).
  { revert Hv. unfold signed. pose proof (machine_bounds v). destruct (Z.ltb_spec (φ (v)%uint63) (2 ^ 62)); lia. }
  pose proof (signed_bounds v). assert (P : 0 < 2 ^ s) by (apply Z.pow_pos_nonneg; lia).
  assert (0 <= signed v / 2 ^ s <= signed v).
  { split; [apply Z.div_pos; lia|]. apply Z.div_le_upper_bound; nia. }
  apply signed_unique; [lia|]. rewrite lsr_spec, of_Z_spec, wB_value, (Z.mod_small s) by lia. rewrite E.
  symmetry. apply Z.mod_small. lia.
Qed.

Lemma coarse63_spec s A g r : 0 <= s < 62 -> 2 * A < 2 ^ 62 -> Forall (within A) g -> Forall (within A) r ->
  map signed (coarse63 (of_Z s) g r) = coarse s (map signed g) (map signed r).
Proof.
  intros Hs HA Fg. revert r. induction Fg as [|a g Ha Fg IH]; intros r Fr; [reflexivity|].
  destruct Fr as [|c r Hc Fr]; [reflexivity|]. unfold coarse in *. unfold within in *.
  cbn [coarse63 map hidden]. rewrite shift_spec by (rewrite ?relu63_spec; try apply relu_nonnegative; assumption).
  rewrite relu63_spec, add_signed by lia. now rewrite IH.
Qed.

Lemma mul_sub_residue a c w q : φ ((c - a) * (w - q))%uint63 = ((signed c - signed a) * (signed w - signed q)) mod 2 ^ 63.
Proof.
  rewrite mul_spec, !sub_spec, wB_value, (signed_residue a), (signed_residue c), (signed_residue w), (signed_residue q).
  rewrite <- !Zminus_mod. symmetry. apply Zmult_mod.
Qed.

Lemma nonnegative_signed v : 0 <= signed v -> φ (v)%uint63 = signed v.
Proof. unfold signed. pose proof (machine_bounds v). destruct (Z.ltb_spec (φ (v)%uint63) (2 ^ 62)); lia. Qed.

Lemma unshift_spec s v : 0 <= s < 62 -> 0 <= signed v -> signed v * 2 ^ s < 2 ^ 62 ->
  signed (v << of_Z s)%uint63 = signed v * 2 ^ s.
Proof.
  intros Hs Hv Hb. assert (0 < 2 ^ s) by (apply Z.pow_pos_nonneg; lia).
  apply signed_unique; [nia|]. rewrite lsl_spec, of_Z_spec, wB_value, (Z.mod_small s) by lia.
  now rewrite nonnegative_signed.
Qed.

Lemma loss63_spec s A l : forall g r u most least acc fired, 0 <= s < 62 -> 2 * A < 2 ^ 62 ->
  Forall (within A) l -> Forall (within A) g -> Forall (within A) r ->
  length g = length l -> length r = length l -> length u = length l -> length most = length l -> length least = length l ->
  let h := hidden (map signed l) (map signed r) in
  let c := coarse s (map signed g) (map signed r) in
  φ (fst (loss63 (of_Z s) acc fired l g r u most least))%uint63 =
    (φ (acc)%uint63 + loss s h c (map signed u) (map signed most) (map signed least)) mod 2 ^ 63 /\
  φ (snd (loss63 (of_Z s) acc fired l g r u most least))%uint63 = (φ (fired)%uint63 + sum c) mod 2 ^ 63.
Proof.
  assert (Z0 : forall acc, φ (acc)%uint63 = (φ (acc)%uint63 + 0) mod 2 ^ 63).
  { intros. rewrite Z.add_0_r. symmetry. apply Z.mod_small. apply machine_bounds. }
  induction l as [|a l IH]; intros [|b g] [|c r] [|w u] [|p most] [|q least] acc fired Hs HA Fl Fg Fr E1 E2 E3 E4 E5;
    try discriminate; [split; apply Z0|].
  inversion_clear Fl as [|? ? Ha Fl']. inversion_clear Fg as [|? ? Hb Fg']. inversion_clear Fr as [|? ? Hc Fr'].
  injection E1 as E1. injection E2 as E2. injection E3 as E3. injection E4 as E4. injection E5 as E5.
  cbn zeta in *. cbn [loss63 map hidden]. unfold coarse in *. cbn [hidden map loss]. unfold sum in *. cbn [fold_right].
  set (h := relu63 (a + c)). set (e := (relu63 (b + c) >> of_Z s)%uint63). set (k := (e << of_Z s)%uint63).
  unfold within in *.
  assert (Eh : signed h = relu (signed a + signed c)) by (unfold h; rewrite relu63_spec, add_signed by lia; reflexivity).
  assert (Eg : signed (relu63 (b + c)) = relu (signed b + signed c)) by (rewrite relu63_spec, add_signed by lia; reflexivity).
  assert (Ee : signed e = relu (signed b + signed c) / 2 ^ s).
  { unfold e. rewrite shift_spec, Eg; [reflexivity|assumption|]. rewrite Eg. apply relu_nonnegative. }
  assert (P : 0 < 2 ^ s) by (apply Z.pow_pos_nonneg; lia).
  assert (Pe : 0 <= signed e /\ signed e * 2 ^ s <= relu (signed b + signed c)).
  { rewrite Ee. split; [apply Z.div_pos; [apply relu_nonnegative|lia]|]. rewrite Z.mul_comm. apply Z.mul_div_le. lia. }
  assert (Ek : signed k = relu (signed b + signed c) / 2 ^ s * 2 ^ s).
  { unfold k. rewrite unshift_spec, Ee; [reflexivity|assumption|lia|unfold relu in *; lia]. }
  destruct (IH g r u most least (acc + (if (h <? k)%uint63 then (k - h) * (w - q) else (h - k) * (p - w)))%uint63
    (fired + e)%uint63 Hs HA Fl' Fg' Fr' E1 E2 E3 E4 E5) as [I1 I2].
  assert (Ph : 0 <= signed h) by (rewrite Eh; apply relu_nonnegative).
  assert (Pk : 0 <= signed k) by (rewrite Ek, <- Ee; nia).
  split.
  - rewrite I1. rewrite add_spec, wB_value, Zplus_mod_idemp_l. rewrite <- Z.add_assoc.
    rewrite <- (Zplus_mod_idemp_r (_ + _) (φ (acc)%uint63)). rewrite <- (Zplus_mod_idemp_r (_ + _) (φ (acc)%uint63)).
    f_equal. f_equal. rewrite <- Eh, <- Ek.
    destruct (ltbP h k) as [H|H]; rewrite (nonnegative_signed h), (nonnegative_signed k) in H by assumption;
      destruct (Z.ltb_spec (signed h) (signed k)) as [K|K]; try lia;
      rewrite mul_sub_residue; apply Zplus_mod_idemp_l.
  - rewrite I2. rewrite add_spec, wB_value, Zplus_mod_idemp_l, <- Ee, (nonnegative_signed e) by lia. f_equal. lia.
Qed.

(** * Bounds *)

Lemma coarse_bound s A g r : 0 <= s -> Forall (fun v => Z.abs v <= A) g -> Forall (fun v => Z.abs v <= A) r ->
  Forall (fun e => 0 <= e /\ e * 2 ^ s <= 2 * A) (coarse s g r).
Proof.
  intros Hs Fg Fr. apply Forall_map. generalize (hidden_bound A g r Fg Fr). apply Forall_impl. intros v Hv.
  assert (P : 0 < 2 ^ s) by (apply Z.pow_pos_nonneg; lia).
  split; [apply Z.div_pos; lia|]. rewrite Z.mul_comm. apply Z.le_trans with v; [apply Z.mul_div_le|]; lia.
Qed.

Lemma loss_bound s H V h : forall c u most least, 0 <= H -> 0 <= V ->
  Forall (fun v => 0 <= v <= H) h -> Forall (fun e => 0 <= e /\ e * 2 ^ s <= H) c -> Forall (fun v => Z.abs v <= V) u ->
  Forall2 Z.le u most -> Forall2 Z.le least u ->
  Forall (fun v => Z.abs v <= V) most -> Forall (fun v => Z.abs v <= V) least -> 0 <= s ->
  0 <= loss s h c u most least <= Z.of_nat (length h) * (H * (2 * V)).
Proof.
  induction h as [|a h IH]; intros c u most least H0 V0 Fh Fc Fu F1 F2 Fx Fn Hs; [cbn; lia|].
  assert (0 <= H * (2 * V)) by (apply Z.mul_nonneg_nonneg; lia).
  destruct Fc as [|e c [He Hc] Fc]; [cbn [loss]; split; [lia | apply Z.mul_nonneg_nonneg; lia]|].
  destruct Fu as [|w u Hw Fu]; [cbn [loss]; split; [lia | apply Z.mul_nonneg_nonneg; lia]|].
  inversion F1 as [|? p ? most' Hp F1']; subst. inversion F2 as [|q ? least' ? Hq F2']; subst.
  inversion_clear Fh as [|? ? Ha Fh']. inversion_clear Fx as [|? ? Hx Fx']. inversion_clear Fn as [|? ? Hn Fn'].
  specialize (IH c u most' least' H0 V0 Fh' Fc Fu F1' F2' Fx' Fn' Hs). cbn [loss length]. rewrite Nat2Z.inj_succ.
  assert (P : 0 < 2 ^ s) by (apply Z.pow_pos_nonneg; lia).
  assert (0 <= (if a <? e * 2 ^ s then (e * 2 ^ s - a) * (w - q) else (a - e * 2 ^ s) * (p - w)) <= H * (2 * V)).
  { assert (0 <= e * 2 ^ s) by nia. set (m := e * 2 ^ s) in *. clearbody m.
    destruct (Z.ltb_spec a m); (split; [apply Z.mul_nonneg_nonneg; lia | apply Z.mul_le_mono_nonneg; lia]). }
  lia.
Qed.
